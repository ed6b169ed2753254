import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { GenerationTimeoutError } from "../ArtaError.js"
import { stopwatch } from "./clock.js"

/** The time that a generation has taken so far and may take in all. */
export interface Deadline {
  readonly elapsed: Effect.Effect<Duration.Duration>
  readonly left: Effect.Effect<Duration.Duration>
  /** Gives an effect what is left of the time. */
  readonly limit: (
    fields: Pick<GenerationTimeoutError, "recordId" | "lastStatus">
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | GenerationTimeoutError, R>
}

export const deadlineIn = (timeout: Duration.DurationInput): Effect.Effect<Deadline> =>
  Effect.map(stopwatch, (elapsed) => {
    return {
      elapsed,
      left: Effect.map(elapsed, (spent) => Duration.subtract(timeout, spent)),
      limit: (fields) => (effect) =>
        Effect.flatMap(elapsed, (spent) =>
          Effect.timeoutFail(effect, {
            duration: Duration.subtract(timeout, spent),
            onTimeout: () => new GenerationTimeoutError({ ...fields, elapsed: Duration.max(spent, timeout) })
          })
        )
    }
  })
