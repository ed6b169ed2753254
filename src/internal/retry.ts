import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { ArtaError } from "../ArtaError.js"

/** Waits longer each time, up to 5 seconds. */
export const backoff = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered
)

/** Waits longer after each failure, up to 5 seconds, and never less than the service asked for. */
export const retryForever: Schedule.Schedule<unknown, ArtaError> = Schedule.identity<ArtaError>().pipe(
  Schedule.intersect(backoff),
  Schedule.modifyDelay(([error], delay) =>
    error._tag === "RateLimitedError" && error.retryAfter !== undefined ? Duration.max(error.retryAfter, delay) : delay
  )
)

/** The same, but only three times. */
export const retryThrice: Schedule.Schedule<unknown, ArtaError> = Schedule.intersect(retryForever, Schedule.recurs(3))

interface Retries<E> {
  readonly schedule: Schedule.Schedule<unknown, ArtaError>
  readonly while: (error: E) => boolean | Effect.Effect<boolean>
}

/** `Effect.retry`, but what it takes is taken only where the first attempt fails. */
export const retryLazily = <A, E extends ArtaError, R>(
  effect: Effect.Effect<A, E, R>,
  retries: Retries<E>
): Effect.Effect<A, E, R> =>
  Effect.catchAll(effect, (error) => {
    let attempt: Effect.Effect<A, E, R> = Effect.fail(error)
    const next = Effect.suspend(() => {
      const current = attempt
      attempt = effect
      return current
    })
    return Effect.retry(next, retries)
  })

/** An effect whose spans tell how many times it has been tried. */
export const withAttemptSpan = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Effect.Effect<A, E, R>> =>
  Effect.sync(() => {
    let attempt = 0
    return Effect.suspend(() => Effect.annotateSpans(effect, "attempt", ++attempt))
  })
