import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { ArtaError } from "../ArtaError.js"

/** Exponential backoff with jitter, from 500 milliseconds up to 5 seconds. */
export const backoff = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered
)

/** Retries without limit. Waits for the backoff, or for the error's `retryAfter` if that is longer. */
export const retryForever: Schedule.Schedule<unknown, ArtaError> = Schedule.identity<ArtaError>().pipe(
  Schedule.intersect(backoff),
  Schedule.modifyDelay(([error], delay) =>
    error._tag === "RateLimitedError" && error.retryAfter !== undefined ? Duration.max(error.retryAfter, delay) : delay
  )
)

/** Like `retryForever`, but at most three times. */
export const retryThrice: Schedule.Schedule<unknown, ArtaError> = Schedule.intersect(retryForever, Schedule.recurs(3))

/**
 * Adds the number of the attempt, from 1, to the current span. `Effect.annotateSpans` would add it to every nested span
 * too.
 */
export const annotateAttempt: Effect.Effect<void> = Effect.flatMap(
  Schedule.CurrentIterationMetadata,
  ({ recurrence }) => Effect.annotateCurrentSpan({ attempt: recurrence + 1 })
)
