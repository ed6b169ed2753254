import { expect, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Context, Deferred, Effect, Fiber, Layer, Option } from "effect"
import type { TokenStore as Stores } from "effect-arta"
import { TokenStore as AnyStore } from "effect-arta"
import { BatchDatabase, TokenStore } from "effect-arta/batch"
import { session } from "../onDisk.js"
import { unredact } from "../unredact.js"
import { eventually } from "../virtualTime.js"
import type { TestDatabase } from "./databases.js"
import { finish, inTime, passSeconds } from "./passTime.js"

/** A store of its own, as another process has. */
export const startStore = (database: TestDatabase) =>
  Effect.map(
    Layer.build(
      TokenStore.layerSql.pipe(Layer.provide(BatchDatabase.layer()), Layer.provide(database.open), Layer.orDie)
    ),
    (context) => Context.get(context, AnyStore.TokenStore)
  )

/** What several processes do that share a session. */
export const sharedSessionSuite = (open: Effect.Effect<TestDatabase, never, Scope.Scope>) => {
  const onTwo = <A, E>(
    test: (world: {
      readonly database: TestDatabase
      readonly one: Stores.Service
      readonly two: Stores.Service
    }) => Effect.Effect<A, E, Scope.Scope>
  ) =>
    Effect.gen(function* () {
      const database = yield* open
      return yield* test({ database, one: yield* startStore(database), two: yield* startStore(database) })
    }).pipe(Effect.scoped)

  const expire = (database: TestDatabase) => database.query("UPDATE arta_sessions SET held_until = 1")

  /** Holds the lock of a store until told to go on with an effect. */
  const holding = <A, E>(store: Stores.Service, then: Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const entered = yield* Deferred.make<boolean>()
      const go = yield* Deferred.make<boolean>()
      const fiber = yield* Deferred.succeed(entered, true).pipe(
        Effect.zipRight(Deferred.await(go)),
        Effect.zipRight(then),
        store.exclusively,
        Effect.fork
      )
      yield* Deferred.await(entered)
      return { go: Deferred.succeed(go, true), fiber }
    })

  it.effect("shares a session, and a sign-out", () =>
    onTwo(({ one, two }) =>
      Effect.gen(function* () {
        yield* one.save(session("a"))
        expect(unredact(yield* two.load)).toEqual(unredact(Option.some(session("a"))))
        yield* two.clear
        expect(yield* one.load).toEqual(Option.none())
      })
    )
  )

  it.effect("locks out another process, and lets it in afterwards", () =>
    onTwo(({ one, two }) =>
      Effect.gen(function* () {
        const held = yield* holding(one, one.save(session("a"), Option.none()))
        const second = yield* Effect.fork(two.exclusively(two.load))
        yield* passSeconds(20)
        expect(yield* Fiber.poll(second)).toEqual(Option.none())
        yield* held.go
        expect(unredact(yield* finish(second))).toEqual(unredact(Option.some(session("a"))))
        yield* finish(held.fiber)
      })
    )
  )

  // fault: Batch database | Another process holds the lock of the session for a minute | `TokenStoreError` with the operation `lock`
  it.effect("fails after a minute", () =>
    onTwo(({ one, two }) =>
      Effect.gen(function* () {
        const held = yield* holding(one, Effect.void)
        const error = yield* inTime(Effect.flip(two.exclusively(Effect.void)))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "lock" })
        yield* held.go
        yield* finish(held.fiber)
      })
    )
  )

  it.effect("renews the lock while it is held", () =>
    onTwo(({ database, one }) =>
      Effect.gen(function* () {
        const held = yield* holding(one, Effect.void)
        yield* expire(database)
        const isRenewed = Effect.map(
          database.query("SELECT 1 FROM arta_sessions WHERE held_until > 1"),
          (rows) => rows.length > 0
        )
        yield* eventually(Effect.zipRight(passSeconds(3), isRenewed), 100)
        yield* held.go
        yield* finish(held.fiber)
      })
    )
  )

  // fault: Batch database | A process that holds the session's lock dies | another takes over, and the dead one cannot save if it wakes
  it.effect("lets nobody save whose lock was taken over", () =>
    onTwo(({ database, one, two }) =>
      Effect.gen(function* () {
        yield* one.save(session("old"))
        const both = Effect.all([
          Effect.flip(one.load),
          Effect.flip(one.save(session("late"), Option.some(session("old"))))
        ])
        const held = yield* holding(one, both)
        yield* expire(database)
        const taken = yield* holding(two, two.save(session("new"), Option.some(session("old"))))
        yield* held.go
        for (const error of yield* finish(held.fiber)) expect(error).toMatchObject({ operation: "lock" })
        yield* taken.go
        yield* finish(taken.fiber)
        expect(unredact(yield* two.load)).toEqual(unredact(Option.some(session("new"))))
      })
    )
  )

  it.effect("does not replace a session that another process has replaced", () =>
    onTwo(({ one, two }) =>
      Effect.gen(function* () {
        yield* one.save(session("old"))
        yield* two.save(session("new"), Option.some(session("old")))
        const error = yield* Effect.flip(one.save(session("late"), Option.some(session("old"))))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "lock" })
        expect(yield* Effect.flip(one.save(session("late"), Option.none()))).toMatchObject({ operation: "lock" })
        expect(JSON.stringify(error) + error.message).not.toMatch(/id-|refresh-/)
      })
    )
  )

  // fault: Batch database | The session in the database is damaged | a warning, and the session that the process had
  it.effect.each(['{"version":1,"idTok', '{"version":2,"idToken":"a"}'])(
    "sets an unreadable session aside: %s",
    (text) =>
      onTwo(({ database, one, two }) =>
        Effect.gen(function* () {
          yield* one.save(session("a"))
          yield* database.query(`UPDATE arta_sessions SET credentials = '${text}'`)
          expect(unredact(yield* one.load)).toEqual(unredact(Option.some(session("a"))))
          expect(unredact(yield* two.load)).toEqual(unredact(Option.some(session("a"))))
          const aside = yield* database.query("SELECT credentials FROM arta_sessions WHERE name <> 'credentials'")
          expect(aside).toEqual([{ credentials: text }])
        })
      )
  )
}
