import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * Milliseconds on the monotonic clock, which clock changes do not affect. Under `TestClock`,
 * `currentTimeNanos` can throw on fractions of a millisecond; `unsafeCurrentTimeNanos` rounds down.
 */
export const unsafeMonotonicMillis = (clock: Clock.Clock): number =>
  Math.floor(Number(clock.unsafeCurrentTimeNanos()) / 1_000_000)

export const monotonicMillis: Effect.Effect<number> = Effect.clockWith((clock) =>
  Effect.succeed(unsafeMonotonicMillis(clock))
)

export const monotonicSeconds: Effect.Effect<number> = Effect.map(monotonicMillis, (millis) => millis / 1_000)
