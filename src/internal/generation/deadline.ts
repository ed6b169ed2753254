import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { GenerationTimeoutError } from "../../ArtaError.js"
import { stopwatch } from "../clock.js"

/** How far a generation has come. */
type Progress = Pick<GenerationTimeoutError, "recordId" | "lastStatus" | "request">

/** The time that a generation has taken so far and may take in all. */
export interface Deadline {
  readonly elapsed: Effect.Effect<Duration.Duration>
  readonly left: Effect.Effect<Duration.Duration>
  /** Fails as what takes too long does. */
  readonly expire: (progress: Progress) => Effect.Effect<never, GenerationTimeoutError>
  /** Gives an effect what is left of the time. What passes between two such effects is the caller's and is not counted. */
  readonly limit: (
    progress: () => Progress
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | GenerationTimeoutError, R>
}

export const deadlineIn = (timeout: Duration.DurationInput): Effect.Effect<Deadline> =>
  Effect.map(stopwatch, (elapsed) => {
    let budget = Duration.decode(timeout)
    const expire = (progress: Progress) =>
      Effect.flatMap(elapsed, (elapsed) => new GenerationTimeoutError({ ...progress, elapsed }))

    return {
      elapsed,
      expire,
      left: Effect.map(elapsed, (spent) => Duration.subtract(timeout, spent)),
      limit: (progress) => (effect) =>
        Effect.gen(function* () {
          const own = yield* stopwatch
          const timely = yield* Effect.timeoutOption(effect, budget)
          budget = Duration.subtract(budget, yield* own)
          return Option.isSome(timely) ? timely.value : yield* expire(progress())
        })
    }
  })
