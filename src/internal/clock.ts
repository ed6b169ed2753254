import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * Milliseconds on the clock that no one can set. Under `TestClock`, only this way of reading it takes fractions of a
 * millisecond.
 */
export const monotonicMillis: Effect.Effect<number> = Effect.map(Effect.clock, (clock) =>
  Number(clock.unsafeCurrentTimeNanos() / 1_000_000n)
)

export const monotonicSeconds: Effect.Effect<number> = Effect.map(monotonicMillis, (millis) => millis / 1_000)

/** A stopwatch that runs from now on. */
export const stopwatch: Effect.Effect<Effect.Effect<Duration.Duration>> = Effect.map(monotonicMillis, (since) =>
  Effect.map(monotonicMillis, (now) => Duration.millis(now - since))
)
