import * as Context from "effect/Context"
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
    error._tag === "RateLimitedError" && error.retryAfter !== undefined ? Duration.max(error.retryAfter, delay) : delay
  )
)

/** Like `retryForever`, but at most three times. */
export const retryThrice: Schedule.Schedule<unknown, ArtaError> = Schedule.intersect(retryForever, Schedule.recurs(3))

interface RetryOptions<E> {
  readonly schedule: Schedule.Schedule<unknown, ArtaError>
  readonly while: (error: E) => boolean | Effect.Effect<boolean>
}

/** Like `Effect.retry`, but sets up the schedule only after a failure: most polls and submissions succeed. */
export const retryLazily = <A, E extends ArtaError, R>(
  effect: Effect.Effect<A, E, R>,
  { schedule, while: isWorthRetrying }: RetryOptions<E>
): Effect.Effect<A, E, R> =>
  Effect.catchAll(effect, (first) =>
    Effect.flatMap(Schedule.driver(schedule), (driver) => {
      const retry = (error: E): Effect.Effect<A, E, R> =>
        Effect.if(isWorthRetrying(error), {
          onFalse: () => Effect.fail(error),
          onTrue: () =>
            Effect.orElseFail(driver.next(error), () => error).pipe(Effect.zipRight(Effect.catchAll(effect, retry)))
        })
      return retry(first)
    })
  )

/** The number of the current attempt, as attributes of its span. */
class Attempt extends Context.Reference<Attempt>()("effect-arta/internal/Attempt", {
  defaultValue: (): Readonly<Record<string, number>> => ({})
}) {}

/** Numbers the attempts of an effect, from 1. */
export const withAttemptSpan = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Effect.Effect<A, E, R>> =>
  Effect.map(Ref.make(0), (attempts) =>
    Effect.flatMap(
      Ref.updateAndGet(attempts, (attempt) => attempt + 1),
      (attempt) => Effect.provideService(effect, Attempt, { attempt })
    )
  )

/** Adds the number of the attempt to the current span. `Effect.annotateSpans` would add it to every nested span too. */
export const annotateAttempt: Effect.Effect<void> = Effect.flatMap(Attempt, Effect.annotateCurrentSpan)
