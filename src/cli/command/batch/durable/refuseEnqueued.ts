import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DurableBatch } from "effect-arta/batch"
import { batchDatabase, toFailure } from "../../../shared/database/batchServices.js"
import type { DatabaseUrl } from "../../../shared/database/databaseUrl.js"
import { UsageError } from "../../../shared/errors.js"
import { printable } from "../../../shared/printable.js"
import type { Input } from "../input.js"
import type { Row } from "../promptFile/promptFile.js"
import { findEarlier } from "./earlier.js"
import { chooseRound } from "./round.js"

/** A batch in the database beside the images may have paid for these rows. */
export const refuseEnqueued = (rows: ReadonlyArray<Row>, url: DatabaseUrl, input: Input) =>
  Effect.gen(function* () {
    const summaries = yield* DurableBatch.batches
    const { summary } = yield* chooseRound(rows, summaries, input)
    const known = summary ?? (yield* findEarlier(summaries, input))
    if (known === undefined) return
    return yield* new UsageError({
      message:
        `The database ${url.shown} has the rows of ${printable(input.file)} already, as the batch ${printable(known.batch)}. ` +
        "Add --database to resume it, or choose another directory: -o DIR. To generate every row once more, add --again."
    })
  }).pipe(
    Effect.mapError(toFailure(url)),
    Effect.provide(Layer.provide(DurableBatch.layerWithoutLedger(), batchDatabase(url, input, "fail")))
  )
