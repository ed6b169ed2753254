import * as Effect from "effect/Effect"
import { makeTurns } from "./turns.js"

/** Runs an effect once a permit is free, first come, first served. */
export type SubmitLimiter = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

// More concurrent submissions finish no image sooner, but delay the polls of earlier generations.
const maxSubmissions = 32

// Sending so many submissions keeps the processor busy for seconds, and polls that are due meanwhile would be late.
const longBacklog = 1_000
const maxPerIteration = 2

/**
 * Limits how many submissions run at once. If a long backlog waits, also limits how many start in each iteration of the
 * event loop, so that polls come first.
 */
export const makeSubmitLimiter: Effect.Effect<SubmitLimiter> = Effect.zipWith(
  makeTurns(maxSubmissions),
  makeTurns(maxPerIteration),
  (inTurn, inIteration) => {
    const nextIteration = inIteration(({ wait }) => Effect.zipRight(wait, Effect.sleep(0)))
    return (effect) =>
      inTurn(({ unsafeWaiting, wait }) =>
        Effect.flatMap(wait, () => (unsafeWaiting() > longBacklog ? Effect.zipRight(nextIteration, effect) : effect))
      )
  }
)
