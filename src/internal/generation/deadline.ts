import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { GenerationTimeoutError } from "../../ArtaError.js"
import { stopwatch } from "../clock.js"

/** How far a generation has come. */
type Progress = Pick<GenerationTimeoutError, "recordId" | "lastStatus" | "request">

/** The time that a generation has taken so far, and the time that it may take. */
export interface Deadline {
  readonly elapsed: Effect.Effect<Duration.Duration>
  readonly left: Effect.Effect<Duration.Duration>
  readonly expire: (progress: Progress) => Effect.Effect<never, GenerationTimeoutError>
  /** Interrupts an effect when the remaining time is used up. Time between two limited effects does not count. */
  readonly limit: (
    progress: Effect.Effect<Progress>
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | GenerationTimeoutError, R>
}

export const deadlineIn = (timeout: Duration.DurationInput): Effect.Effect<Deadline> =>
  Effect.gen(function* () {
    const elapsed = yield* stopwatch
    const budget = yield* Ref.make(Duration.decode(timeout))

    const expire = (progress: Progress) =>
      Effect.flatMap(elapsed, (elapsed) => new GenerationTimeoutError({ ...progress, elapsed }))

    return {
      elapsed,
      expire,
      left: Effect.map(elapsed, (spent) => Duration.subtract(timeout, spent)),
      limit: (progress) => (effect) =>
        Effect.gen(function* () {
          const spent = yield* stopwatch
          const result = yield* Effect.timeoutOption(effect, yield* Ref.get(budget))
          const duration = yield* spent
          yield* Ref.update(budget, Duration.subtract(duration))
          return Option.isSome(result) ? result.value : yield* Effect.flatMap(progress, expire)
        })
    }
  })
