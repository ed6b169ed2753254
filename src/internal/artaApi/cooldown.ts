import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import { monotonicMillis } from "../clock.js"

/** A pause that a service asked for, shared by all its callers. */
export interface Cooldown {
  /** The rest of the pause: zero or negative if it is over. */
  readonly left: Effect.Effect<Duration.Duration>
  readonly extend: (duration: Duration.Duration | undefined) => Effect.Effect<void>
  /** Runs an effect after the pause. */
  readonly awaitEnd: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export const makeCooldown: Effect.Effect<Cooldown> = Effect.map(Ref.make(Number.NEGATIVE_INFINITY), (end) => {
  const left = Effect.zipWith(Ref.get(end), monotonicMillis, (end, now) => Duration.millis(end - now))

  // The pause may be extended while this waits.
  const waitUntilOver: Effect.Effect<void> = Effect.flatMap(left, (left) =>
    Duration.greaterThan(left, Duration.zero) ? Effect.zipRight(Effect.sleep(left), waitUntilOver) : Effect.void
  )

  return {
    left,
    extend: (duration = Duration.zero) =>
      Effect.flatMap(monotonicMillis, (now) =>
        Ref.update(end, (end) => Math.max(end, now + Duration.toMillis(duration)))
      ),
    awaitEnd: (effect) => Effect.zipRight(waitUntilOver, effect)
  }
})
