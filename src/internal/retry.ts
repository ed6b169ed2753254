import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
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
    error._tag === "RateLimitedError" ? Duration.max(error.retryAfter ?? 0, delay) : delay
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

/** An effect that first fails with an error that has already happened. */
export const afterFailure = <A, E, R>(
  error: E,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<Effect.Effect<A, E, R>> =>
  Effect.map(Ref.make<Effect.Effect<A, E, R>>(Effect.fail(error)), (next) =>
    Effect.flatten(Ref.getAndSet(next, effect))
  )

/** `Effect.retry` that sets up its driver only after a failure: it costs more than a request that succeeds. */
export const retryLazily =
  <E extends ArtaError>(options: {
    readonly schedule: Schedule.Schedule<unknown, ArtaError>
    readonly while: (error: E) => boolean | Effect.Effect<boolean>
  }) =>
  <A, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.catchAll(effect, (error) => Effect.flatMap(afterFailure(error, effect), Effect.retry(options)))
