import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"

interface Turn {
  /** Waits for the turns taken before this one, then lets the next one pass. */
  readonly pass: Effect.Effect<void>
  /** Lets the next one pass, if this one did not pass. */
  readonly end: Effect.Effect<void>
}

/**
 * Hands out turns, which pass in the order in which they were taken. Fibers that wait for the same token resume in any
 * order; their submissions should not.
 */
export const makeTurns: Effect.Effect<Effect.Effect<Turn>> = Effect.map(Ref.make(Effect.void), (last) =>
  Effect.gen(function* () {
    const passed = yield* Deferred.make<undefined>()
    const previous = yield* Ref.getAndSet(last, Deferred.await(passed))
    const end = Effect.asVoid(Deferred.succeed(passed, undefined))
    return { pass: Effect.zipRight(previous, end), end }
  })
)
