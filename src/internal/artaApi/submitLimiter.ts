import * as Effect from "effect/Effect"
import { makeTurns } from "./turns.js"

/** Runs an effect once a permit is free, first come, first served. */
export type SubmitLimiter = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

// More concurrent submissions finish no image sooner, but delay the polls of earlier generations.
const maxSubmissions = 32

/**
 * Limits how many effects run at once. They wait for a permit one at a time: in effect 3.22, `Semaphore` wakes every
 * waiter on each release, in no order, which dominates the CPU time with a thousand waiters.
 */
export const makeSubmitLimiter: Effect.Effect<SubmitLimiter> = Effect.map(makeTurns, (inTurn) => {
  const permits = Effect.unsafeMakeSemaphore(maxSubmissions)
  return (effect) =>
    inTurn((turn) => Effect.zipRight(turn.wait, permits.withPermits(1)(Effect.zipRight(turn.end, effect))))
})
