import * as Deferred from "effect/Deferred"
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
  const take = Effect.gen(function* () {
    const ended = yield* Deferred.make<undefined>()
    const wait = yield* Ref.getAndSet(last, Deferred.await(ended))
    return { wait, end: Effect.asVoid(Deferred.succeed(ended, undefined)) }
  })
  return (use) => Effect.acquireUseRelease(take, use, ({ end }) => end)
})
