import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { InvalidRequestError } from "../../ArtaError.js"
import { GenerationTimeoutError } from "../../ArtaError.js"
import { stopwatch } from "../clock.js"
import { decodeTimeout } from "../timeout.js"

/** How far a generation has come. */
type Progress = Pick<GenerationTimeoutError, "recordId" | "lastStatus" | "reason" | "request">

/** The time that a generation has taken so far, and the time that it may take. */
export interface Deadline {
  readonly elapsed: Effect.Effect<Duration.Duration>
  readonly left: Effect.Effect<Duration.Duration>
  readonly expire: (progress: Progress) => Effect.Effect<never, GenerationTimeoutError>
  /**
   * Interrupts an effect when the remaining time is used up, and does not start it if none is left. Time between two
   * limited effects does not count.
   */
  readonly limit: (
    progress: Effect.Effect<Progress>
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | GenerationTimeoutError, R>
}

export const deadlineIn = (input: Duration.DurationInput): Effect.Effect<Deadline, InvalidRequestError> =>
  Effect.gen(function* () {
    const timeout = yield* decodeTimeout(input)
    const elapsed = yield* stopwatch
    const budget = yield* Ref.make(timeout)

    const expire = (progress: Progress) =>
      Effect.flatMap(elapsed, (elapsed) => new GenerationTimeoutError({ ...progress, elapsed }))

    return {
      elapsed,
      expire,
      left: Effect.map(elapsed, (spent) => Duration.subtract(timeout, spent)),
      limit: (progress) => (effect) =>
        Effect.gen(function* () {
          const spent = yield* stopwatch
          const left = yield* Ref.get(budget)
          if (Duration.equals(left, Duration.zero)) return yield* Effect.flatMap(progress, expire)
          const result = yield* Effect.timeoutOption(effect, left)
          const duration = yield* spent
          yield* Ref.update(budget, Duration.subtract(duration))
          return Option.isSome(result) ? result.value : yield* Effect.flatMap(progress, expire)
        })
    }
  })
