import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../clock.js"

/** The time for which a service asked for quiet, shared by all its callers. */
export interface Cooldown {
  /** What is left of it. */
  readonly left: Effect.Effect<Duration.Duration>
  readonly extend: (duration: Duration.Duration | undefined) => Effect.Effect<void>
  /** Runs an effect once the cooldown is over. */
  readonly awaitEnd: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const makeCooldown: Effect.Effect<Cooldown> = Effect.sync(() => {
  let end = Number.NEGATIVE_INFINITY
  const left = Effect.map(monotonicMillis, (now) => Duration.millis(end - now))

  return {
    left,
    extend: (duration = Duration.zero) =>
      Effect.map(monotonicMillis, (now) => {
        end = Math.max(end, now + Duration.toMillis(duration))
      }),
    awaitEnd: (effect) => {
      // It may have been extended meanwhile.
      const whenOver: typeof effect = Effect.flatMap(left, (left) =>
        Duration.greaterThan(left, Duration.zero) ? Effect.zipRight(Effect.sleep(left), whenOver) : effect
      )
      return whenOver
    }
  }
})
