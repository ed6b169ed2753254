import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { GenerationTimeoutError } from "../ArtaError.js"
import { stopwatch } from "./clock.js"

/** The time that a generation has taken so far and may take in all. */
export interface Deadline {
  readonly elapsed: Effect.Effect<Duration.Duration>
  readonly left: Effect.Effect<Duration.Duration>
  /** Gives an effect what is left of the time. What passes between two such effects is the caller's and is not counted. */
  readonly limit: (
    fields: () => Pick<GenerationTimeoutError, "recordId" | "lastStatus" | "request">
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | GenerationTimeoutError, R>
}

export const deadlineIn = (timeout: Duration.DurationInput): Effect.Effect<Deadline> =>
  Effect.gen(function* () {
    const elapsed = yield* stopwatch
    const budget = yield* Ref.make(Duration.decode(timeout))
    const spend = (time: Duration.Duration) => Ref.update(budget, Duration.subtract(time))

    return {
      elapsed,
      left: Effect.map(elapsed, (spent) => Duration.subtract(timeout, spent)),
      limit: (fields) => (effect) =>
        Effect.gen(function* () {
          const own = yield* stopwatch
          const timely = yield* Effect.timeoutOption(effect, yield* Ref.get(budget))
          yield* Effect.flatMap(own, spend)
          return Option.isSome(timely)
            ? timely.value
            : yield* new GenerationTimeoutError({ ...fields(), elapsed: yield* elapsed })
        })
    }
  })
