import * as Effect from "effect/Effect"
import { makeTurns } from "./turns.js"

/** Runs an effect once a permit is free, first come, first served. */
export type SubmitLimiter = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

// More concurrent submissions finish no image sooner, but delay the polls of earlier generations.
const maxSubmissions = 32
const maxPerIteration = 2

/**
 * Limits how many submissions run at once, and how many start in one iteration of the event loop: where there is more to
 * do than the processor can, polls that are due come first.
 */
export const makeSubmitLimiter: Effect.Effect<SubmitLimiter> = Effect.zipWith(
  makeTurns(maxSubmissions),
  makeTurns(maxPerIteration),
  (inTurn, inIteration) => {
    const nextIteration = inIteration(({ wait }) => Effect.zipRight(wait, Effect.sleep(0)))
    return (effect) => inTurn(({ wait }) => wait.pipe(Effect.zipRight(nextIteration), Effect.zipRight(effect)))
  }
)
