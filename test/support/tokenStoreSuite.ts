import { expect, it } from "@effect/vitest"
import type { Layer } from "effect"
import { Deferred, Effect, Fiber, Option, Ref } from "effect"
import { TokenStore } from "effect-arta"
import { session } from "./onDisk.js"
import { unredact } from "./unredact.js"

/** What every store does. Each test builds the layer again, and then it must be empty. */
export const tokenStoreSuite = (layer: Layer.Layer<TokenStore.TokenStore, unknown>) => {
  // fault: Store | No token file | nothing
  it.effect("is empty at first", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      expect(yield* store.load).toEqual(Option.none())
    }).pipe(Effect.provide(layer))
  )

  it.effect("loads the session that was saved last", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      yield* store.save(session("old"))
      yield* store.save(session("new"))
      expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("new"))))
    }).pipe(Effect.provide(layer))
  )

  it.effect("clears the session, and accepts a clear when empty", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      yield* store.clear
      yield* store.save(session("a"))
      yield* store.clear
      expect(yield* store.load).toEqual(Option.none())
    }).pipe(Effect.provide(layer))
  )

  it.effect("runs one exclusive effect at a time", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      const running = yield* Ref.make(0)
      const most = yield* Ref.make(0)
      const visit = Effect.gen(function* () {
        const now = yield* Ref.updateAndGet(running, (n) => n + 1)
        yield* Ref.update(most, (n) => Math.max(n, now))
        yield* Effect.yieldNow()
        yield* Ref.update(running, (n) => n - 1)
      })
      yield* Effect.all(Effect.replicate(store.exclusively(visit), 20), { concurrency: "unbounded" })
      expect(yield* Ref.get(most)).toBe(1)
    }).pipe(Effect.provide(layer))
  )

  it.effect("loads what was saved in the same exclusive effect", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      const loaded = yield* store.exclusively(Effect.zipRight(store.save(session("a")), store.load))
      expect(unredact(loaded)).toEqual(unredact(Option.some(session("a"))))
    }).pipe(Effect.provide(layer))
  )

  it.effect("continues with the next effect when an exclusive effect fails or is interrupted", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      expect(yield* Effect.flip(store.exclusively(Effect.fail("no")))).toBe("no")
      const entered = yield* Deferred.make<boolean>()
      const inside = yield* Effect.fork(
        store.exclusively(Effect.zipRight(Deferred.succeed(entered, true), Effect.never))
      )
      yield* Deferred.await(entered)
      yield* Fiber.interrupt(inside)
      expect(yield* store.exclusively(Effect.succeed("next"))).toBe("next")
    }).pipe(Effect.provide(layer))
  )
}
