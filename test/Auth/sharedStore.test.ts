import type { FileSystem } from "@effect/platform"
import { KeyValueStore } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, TestClock } from "effect"
import { ArtaError, Auth, TokenStore } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { failing } from "../support/failingDisk.js"
import { onDisk } from "../support/onDisk.js"
import { renew, stored, token } from "../support/session.js"
import { counts, inject, runToEnd, withEmulator } from "../support/withEmulator.js"

const signOut = Effect.flatMap(Auth.Auth, (auth) => auth.signOut)

/** Runs an effect in another program that shares the store. */
const elsewhere = Effect.provide(Auth.layer({ apiKey: "emulated" }))

const settle = TestClock.adjust("1 second")

describe("Auth with a store that another program shares", () => {
  it.effect("uses a stored token that was not refused", () =>
    Effect.gen(function* () {
      const refused = yield* token
      const others = yield* elsewhere(renew(refused))
      expect(yield* renew(refused)).toEqual(others)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | The clock is set back, and another program has signed up | nothing
  it.effect("uses the session that the other program has stored, although the clock was set back", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 hours")
      yield* token
      yield* TestClock.setTime(0)
      const newer = yield* elsewhere(Effect.zipRight(signOut, token))
      expect(yield* token).toBe(newer)
      expect(yield* counts).toMatchObject({ signUp: 2, refresh: 0 })
    }).pipe(withEmulator())
  )
})

describe("Auth after another program has signed out", () => {
  // fault: Sessions | Another program signs out | no refresh of that account, and a new one once a token is needed
  it.effect("signs up for a new account when its token has expired, and never refreshes the old session", () =>
    Effect.gen(function* () {
      const first = yield* token
      const before = yield* stored
      yield* elsewhere(signOut)
      expect(yield* token).toBe(first)
      yield* TestClock.adjust("31 minutes")
      expect(yield* token).toBe(first)
      yield* settle
      expect(yield* stored).toEqual(Option.none())
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0 })

      yield* TestClock.adjust("1 hour")
      expect(yield* token).not.toBe(first)
      expect(yield* counts).toMatchObject({ signUp: 2, refresh: 0 })
      expect(Option.map(yield* stored, ({ localId }) => localId)).not.toEqual(
        Option.map(before, ({ localId }) => localId)
      )
    }).pipe(withEmulator())
  )

  it.effect("signs up for a new account when its token is refused", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* elsewhere(signOut)
      expect(yield* renew(first)).not.toBe(first)
      expect(yield* counts).toMatchObject({ signUp: 2, refresh: 0 })
    }).pipe(withEmulator())
  )

  it.effect("does not return to the old session when a sign-up fails", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* elsewhere(signOut)
      yield* TestClock.adjust("2 hours")
      yield* inject(...Array.from({ length: 4 }, () => Fault.respond("signUp", 503)))
      expect(yield* runToEnd(Effect.flip(token))).toMatchObject({ _tag: "TransportError", operation: "signUp" })
      expect(yield* token).not.toBe(first)
      expect(yield* counts).toMatchObject({ signUp: 6, refresh: 0 })
    }).pipe(withEmulator())
  )

  it.effect("does not return to the old session when the account of a third program is gone", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* elsewhere(Effect.zipRight(signOut, token))
      yield* TestClock.adjust("2 hours")
      yield* inject(Fault.identityError("refresh", "USER_NOT_FOUND"))
      expect(yield* token).not.toBe(first)
      expect(yield* counts).toMatchObject({ signUp: 3, refresh: 1 })
    }).pipe(withEmulator())
  )

  it.effect("stays signed out if a refresh was running in a store without a lock between programs", () =>
    Effect.gen(function* () {
      const values = yield* KeyValueStore.KeyValueStore
      const program = Effect.provide(Layer.fresh(Auth.layer({ apiKey: "emulated" })))
      yield* Effect.gen(function* () {
        yield* token
        yield* TestClock.adjust("2 hours")
        yield* inject(Fault.respond("refresh", 503))
        const refreshing = yield* Effect.fork(token)
        yield* Effect.repeatN(Effect.yieldNow(), 50)
        yield* values.remove("effect-arta/credentials")
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(refreshing)
        expect(yield* stored).toEqual(Option.none())
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
      }).pipe(program, Effect.provide(TokenStore.layerKeyValueStore))
    }).pipe(Effect.provide([KeyValueStore.layerMemory, ArtaEmulator.layer()]))
  )

  it.effect("keeps a session that was never saved", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      const full = new ArtaError.TokenStoreError({ operation: "save", path: "/full/disk" })
      yield* Effect.gen(function* () {
        const first = yield* token
        yield* store.clear
        yield* TestClock.adjust("2 hours")
        expect(yield* token).not.toBe(first)
      }).pipe(
        Effect.provide(Auth.layer({ apiKey: "emulated" })),
        Effect.provideService(TokenStore.TokenStore, { ...store, save: () => Effect.fail(full) })
      )
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(withEmulator())
  )
})

describe("Auth with a store that loses its session without a sign-out", () => {
  const running = <A, E, R>(store: TokenStore.Service, program: Effect.Effect<A, E, R>) =>
    program.pipe(
      Effect.provide(Auth.layer({ apiKey: "emulated" })),
      Effect.provideService(TokenStore.TokenStore, store)
    )

  // fault: Store | The token file is damaged while a program runs | a warning, and the same account
  it.effect("restores a damaged file, and every program keeps its account", () =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        const [one, two] = [yield* open(), yield* open()]
        yield* running(
          one,
          Effect.gen(function* () {
            yield* token
            yield* fs.writeFileString(file, '{"version":1,"idTok')
            yield* TestClock.adjust("2 hours")
            yield* inject(Fault.identityError("refresh", "USER_DISABLED"))
            yield* Effect.flip(token)
            const renewed = yield* token
            expect(yield* running(two, token)).toBe(renewed)
          })
        )
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
        expect(yield* files).toMatchObject(["credentials.json", expect.stringMatching(/unreadable-\d+$/)])
      })
    ).pipe(Effect.provide(ArtaEmulator.layer()))
  )

  // fault: Store | The token file cannot be read while a program runs | one warning, and the same account
  it.effect("keeps the account when the file cannot be read", () =>
    onDisk(({ fs, open }) =>
      Effect.gen(function* () {
        let isBusy = false
        const busy = failing(fs, { on: ["read"], failure: "permission denied", suffix: ".json" })
        const readFileString: FileSystem.FileSystem["readFileString"] = (path, encoding) =>
          Effect.suspend(() => (isBusy ? busy : fs).readFileString(path, encoding))
        yield* running(
          yield* open({ ...fs, readFileString }),
          Effect.gen(function* () {
            yield* token
            isBusy = true
            yield* TestClock.adjust("2 hours")
            yield* token
          })
        )
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
      })
    ).pipe(Effect.provide(ArtaEmulator.layer()))
  )
})
