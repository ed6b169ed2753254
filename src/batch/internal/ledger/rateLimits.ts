import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { RateLimitedError } from "../../../ArtaError.js"

const isRateLimited = (error: { readonly _tag: string }): error is RateLimitedError => error._tag === "RateLimitedError"

const longestGuess = Duration.seconds(30)

/**
 * Repeats a submission that the service refused because of its rate limit, unless the wait would exceed the timeout.
 * Nothing was accepted, so sending again is safe.
 */
export const retryWhileLimited = <A, E extends { readonly _tag: string }, R>(
  submission: Effect.Effect<A, E | RateLimitedError, R>,
  timeout: Duration.DurationInput = "5 minutes"
): Effect.Effect<A, E | RateLimitedError, R> =>
  Effect.flatMap(Clock.currentTimeMillis, (startedAt) => {
    const attempt = (guess: Duration.Duration): Effect.Effect<A, E | RateLimitedError, R> =>
      Effect.catchIf(submission, isRateLimited, (error) =>
        Effect.gen(function* () {
          const wait = error.retryAfter ?? Duration.times(guess, yield* Random.nextRange(0.8, 1.2))
          const end = (yield* Clock.currentTimeMillis) - startedAt + Duration.toMillis(wait)
          if (end > Duration.toMillis(timeout)) return yield* error
          yield* Effect.sleep(wait)
          return yield* attempt(Duration.min(Duration.times(guess, 2), longestGuess))
        })
      )
    return attempt(Duration.seconds(1))
  })
