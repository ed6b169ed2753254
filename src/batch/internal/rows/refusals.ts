import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import type { ResponseError } from "../../../ArtaError.js"
import { RowsRefusedError } from "../../BatchError.js"
import type { ClaimedRow } from "./storedRow.js"

/** Finds out whether the service refuses single rows or all of them: three identical refusals stop a runner. */
export interface Refusals {
  /** The service has accepted a row. */
  readonly accepted: Effect.Effect<void>
  /** Waits until the refusal turns out to concern the row only. Fails if it concerns all of them. */
  readonly refused: (row: ClaimedRow, error: ResponseError) => Effect.Effect<void, RowsRefusedError>
  /** How many rows wait. */
  readonly waiting: Effect.Effect<number>
  /** No other row will follow, so the rows that wait have failed. */
  readonly end: Effect.Effect<void>
}

const maxIdentical = 3

interface Refusal {
  readonly reason: string
  readonly decided: Deferred.Deferred<undefined>
}

/** Equal for refusals that differ only in an id, a number, or what they repeat of the prompt. */
const reasonOf = ({ request: { prompt } }: ClaimedRow, { detail, status }: ResponseError): string =>
  `${String(status)} ${detail.replaceAll(prompt, "").replace(/[\da-f-]{8,}|\d+/gi, "#")}`

/** `onWait` runs when another row waits, which leaves room for the next one. */
export const makeRefusals = (onWait: Effect.Effect<unknown>): Effect.Effect<Refusals> =>
  Effect.gen(function* () {
    const streak = yield* Ref.make<ReadonlyArray<Refusal>>([])

    const decide = (refusals: ReadonlyArray<Refusal>) =>
      Effect.forEach(refusals, ({ decided }) => Deferred.succeed(decided, undefined), { discard: true })

    const end = Effect.flatMap(Ref.getAndSet(streak, []), decide)

    return {
      accepted: end,
      end,
      waiting: Effect.map(Ref.get(streak), ({ length }) => length),
      refused: (row, error) =>
        Effect.gen(function* () {
          const refusal = { reason: reasonOf(row, error), decided: yield* Deferred.make<undefined>() }
          const [others, identical] = yield* Ref.modify(streak, (before) => {
            const isSame = before.every(({ reason }) => reason === refusal.reason)
            const after = isSame ? [...before, refusal] : [refusal]
            return [[isSame ? [] : before, after.length] as const, after]
          })
          yield* decide(others)
          if (identical >= maxIdentical) return yield* new RowsRefusedError({ rows: identical, error })
          yield* onWait
          yield* Deferred.await(refusal.decided)
        })
    }
  })
