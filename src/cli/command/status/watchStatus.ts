import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type { DurableBatch } from "effect-arta/batch"
import type { StatusError } from "./readStatus.js"
import { readStatus } from "./readStatus.js"
import { failureText, lineOf, openOf } from "./statusText.js"
import type { BatchView, StatusView } from "./statusView.js"
import { formatView } from "./statusView.js"

/** What a change of a batch prints. The rate and the time left change all the time, and are no change of their own. */
const signatureOf = ({ cancelledAt, rows }: BatchView): string => JSON.stringify([rows, cancelledAt])

const keyOf = ({ batch }: BatchView, { at, row }: BatchView["failures"][number]): string =>
  JSON.stringify([batch, row, at])

interface Seen {
  readonly signatures: ReadonlyMap<string, string>
  readonly failures: ReadonlySet<string>
}

const nothing: Seen = { signatures: new Map(), failures: new Set() }

const seenIn = ({ batches }: StatusView): Seen => ({
  signatures: new Map(batches.map((view) => [view.batch, signatureOf(view)])),
  failures: new Set(batches.flatMap((view) => view.failures.map((failure) => keyOf(view, failure))))
})

const textOf = (view: BatchView, seen: Seen): ReadonlyArray<string> => [
  lineOf(view),
  ...view.failures
    .filter((failure) => !seen.failures.has(keyOf(view, failure)))
    .map((failure) => `  ${failureText(failure)}`)
]

const pause = "1 second"

/** Prints a batch whenever its rows change. Ends when no row is open. */
export const watchStatus = (
  batch: string | undefined,
  { json }: { readonly json: boolean }
): Effect.Effect<void, StatusError, DurableBatch.DurableBatch> =>
  Effect.gen(function* () {
    const seen = yield* Ref.make(nothing)
    const look = Effect.gen(function* () {
      const view = yield* readStatus(batch)
      const before = yield* Ref.getAndSet(seen, seenIn(view))
      const changed = view.batches.filter((one) => before.signatures.get(one.batch) !== signatureOf(one))
      const lines = changed.flatMap((one) => (json ? [formatView(one)] : textOf(one, before)))
      if (lines.length > 0) yield* Console.log(lines.join("\n"))
      return view.batches.some(({ rows }) => openOf(rows) > 0)
    })
    yield* Effect.repeat(look, { schedule: Schedule.spaced(pause), while: (isOpen) => isOpen })
  })
