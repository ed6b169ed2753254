import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

interface Turn {
  /** Waits until the turn before this one has ended. */
  readonly wait: Effect.Effect<void>
  /** Lets the next turn start. */
  readonly end: Effect.Effect<void>
}

/**
 * Runs effects that each take a turn, in the order in which they start. Fibers that wait for the same thing resume in
 * any order; their submissions should not.
 */
export const makeTurns: Effect.Effect<
  <A, E, R>(use: (turn: Turn) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
> = Effect.map(Ref.make(Effect.void), (last) => {
  const take = Effect.suspend(() => {
    const ended = Effect.unsafeMakeLatch()
    return Effect.map(Ref.getAndSet(last, ended.await), (wait) => ({ wait, end: Effect.asVoid(ended.open) }))
  })
  return (use) => Effect.acquireUseRelease(take, use, ({ end }) => end)
})
