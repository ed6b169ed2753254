import { Deferred, Effect } from "effect"
import type { TokenStore } from "effect-arta"

/** Starts a fiber that holds the lock until `work` ends or the fiber is interrupted. */
export const holdLock = (store: TokenStore.Service, work: Effect.Effect<unknown> = Effect.never) =>
  Effect.gen(function* () {
    const entered = yield* Deferred.make<boolean>()
    const holder = yield* Effect.fork(store.exclusively(Effect.zipRight(Deferred.succeed(entered, true), work)))
    yield* Deferred.await(entered)
    return holder
  })
