import * as Effect from "effect/Effect"
import type { BatchDatabase, BatchError } from "effect-arta/batch"
import { DurableBatch } from "effect-arta/batch"
import type { StatusView } from "./statusView.js"
import { toStatusView } from "./statusView.js"

// More would be slow to read, and nobody looks that far back.
const maxBatches = 50

export type StatusError = BatchDatabase.DatabaseError | BatchError.BatchNotFoundError

/** Reads the status of a batch, or of the newest 50. */
export const readStatus = (
  batch: string | undefined
): Effect.Effect<StatusView, StatusError, DurableBatch.DurableBatch> =>
  Effect.gen(function* () {
    const batches = yield* DurableBatch.DurableBatch
    const names =
      batch === undefined ? (yield* batches.batches).slice(0, maxBatches).map(({ batch }) => batch) : [batch]
    return toStatusView(yield* Effect.forEach(names, batches.status))
  })
