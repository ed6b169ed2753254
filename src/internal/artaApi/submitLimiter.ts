import * as Effect from "effect/Effect"
import { makeTurns } from "./turns.js"

/** Runs an effect once a permit is free, first come, first served. */
export type SubmitLimiter = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

// More concurrent submissions finish no image sooner, but delay the polls of earlier generations.
const maxSubmissions = 32

/** Limits how many submissions run at once. */
export const makeSubmitLimiter: Effect.Effect<SubmitLimiter> = Effect.map(
  makeTurns(maxSubmissions),
  (inTurn) => (effect) => inTurn(({ wait }) => Effect.zipRight(wait, effect))
)
