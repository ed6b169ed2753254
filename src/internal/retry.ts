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

interface RetryOptions<E> {
  readonly schedule: Schedule.Schedule<unknown, ArtaError>
  readonly while: (error: E) => boolean | Effect.Effect<boolean>
}

/** Like `Effect.retry`, but sets up the retry driver only after a failure. */
export const retryLazily = <A, E extends ArtaError, R>(
  effect: Effect.Effect<A, E, R>,
  options: RetryOptions<E>
): Effect.Effect<A, E, R> =>
  Effect.catchAll(effect, (error) => {
    // `Effect.retry` starts with an attempt: it gets the failure of the first one.
    let next: Effect.Effect<A, E, R> = Effect.fail(error)
    const attempt = Effect.suspend(() => {
      const current = next
      next = effect
      return current
    })
    return Effect.retry(attempt, options)
  })

/** Annotates the spans of an effect with the number of the attempt, counted from 1. */
export const withAttemptSpan = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Effect.Effect<A, E, R>> =>
  Effect.sync(() => {
    let attempt = 0
    return Effect.suspend(() => Effect.annotateSpans(effect, "attempt", ++attempt))
  })
