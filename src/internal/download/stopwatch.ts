import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { monotonicMillis } from "../clock.js"

/** Starts a stopwatch. The inner effect reads the elapsed time. */
export const stopwatch: Effect.Effect<Effect.Effect<Duration.Duration>> = Effect.map(monotonicMillis, (since) =>
  Effect.map(monotonicMillis, (now) => Duration.millis(now - since))
)
