import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Option, Ref, Schedule, TestClock } from "effect"
import { ArtaError, Auth, TokenStore } from "effect-arta"
import { Fault } from "effect-arta/testing"
import { counts, withEmulator, inject } from "../support/withEmulator.js"
import { renew, stored, token } from "../support/session.js"

const manyTimes = <A, E, R>(times: number, effect: Effect.Effect<A, E, R>) =>
  Effect.all(Effect.replicate(effect, times), { concurrency: "unbounded" })

describe("Auth.token", () => {
  it.effect("signs up once for 200 fibers and stores the session", () =>
    Effect.gen(function* () {
      const tokens = yield* manyTimes(200, token)
      expect(new Set(tokens).size).toBe(1)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0 })
      expect(Option.map(yield* stored, ({ idToken }) => idToken)).toEqual(Option.fromNullable(tokens[0]))
    }).pipe(withEmulator())
  )

  it.effect("does no I/O while the token is fresh", () =>
    Effect.gen(function* () {
      const loads = yield* Ref.make(0)
      const store = yield* TokenStore.TokenStore
      const counting = {
        ...store,
        load: Effect.zipRight(
          Ref.update(loads, (n) => n + 1),
          store.load
        )
      }
      yield* Effect.gen(function* () {
        yield* token
        yield* TestClock.adjust("29 minutes")
        yield* manyTimes(50, token)
      }).pipe(Effect.provide(Auth.layer({ apiKey: "k" })), Effect.provideService(TokenStore.TokenStore, counting))
      expect(yield* Ref.get(loads)).toBe(1)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0 })
    }).pipe(withEmulator())
  )

  it.effect("refreshes in the background after half of the token's lifetime", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* TestClock.adjust("31 minutes")
      yield* inject(Fault.hang("refresh"))
      const tokens = yield* manyTimes(50, token)
      expect(tokens.every((each) => each === first)).toBe(true)
      yield* TestClock.adjust("30 seconds")
      const renewed = yield* token
      expect(renewed).not.toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(withEmulator())
  )

  it.effect("keeps the time of the sign-up across refreshes", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* token
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
      expect(Option.getOrThrow(yield* stored)).toMatchObject({ signedUpAt: 60_000, issuedAt: 7_260_000 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | A refresh fails while the token is still valid | nothing
  it.effect("uses a valid token while its refresh fails, and backs off between refreshes", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* TestClock.adjust("31 minutes")
      yield* manyTimes(4, inject(Fault.respond("refresh", 503)))
      yield* Effect.repeat(token, Schedule.recurs(20))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Effect.repeat(token, Schedule.recurs(20))).toBeDefined()
      expect(yield* token).toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 4 })
      yield* TestClock.adjust("31 seconds")
      yield* token
      yield* TestClock.adjust("1 second")
      expect(yield* token).not.toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 5 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | 100 fibers find an expired token | one refresh, one token
  it.effect("refreshes an expired session once for all callers", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* TestClock.adjust("2 hours")
      const tokens = yield* manyTimes(100, token)
      expect(new Set(tokens).size).toBe(1)
      expect(tokens[0]).not.toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | A refresh fails | the same error for every waiting caller
  it.effect("shares a failure among all waiting callers, and retries at the next call", () =>
    Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* inject(Fault.identityError("refresh", "USER_DISABLED"))
      const errors = yield* manyTimes(100, Effect.flip(token))
      expect(errors.every((error) => error._tag === "AuthError" && error.reason === "USER_DISABLED")).toBe(true)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
      yield* token
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | The first caller is interrupted during a refresh | the others get their token
  it.effect("continues for the other callers when the first one is interrupted", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("signUp", 503))
      const leader = yield* Effect.fork(token)
      yield* Effect.yieldNow()
      const follower = yield* Effect.fork(token)
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(leader)
      yield* TestClock.adjust("5 seconds")
      expect(Exit.isSuccess(yield* Fiber.await(follower))).toBe(true)
      expect(yield* counts).toMatchObject({ signUp: 2 })
    }).pipe(withEmulator())
  )

  it.effect("uses the session of an earlier program", () =>
    Effect.gen(function* () {
      const first = yield* token
      const again = yield* token.pipe(Effect.provide(Auth.layer({ apiKey: "k" })))
      expect(again).toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0 })
    }).pipe(withEmulator())
  )

  it.effect("uses an earlier program's token past half of its lifetime, even if its refresh fails", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* TestClock.adjust("40 minutes")
      yield* inject(Fault.identityError("refresh", "USER_DISABLED"))
      expect(yield* token.pipe(Effect.provide(Auth.layer({ apiKey: "emulated" })))).toEqual(first)
    }).pipe(withEmulator())
  )

  it.effect("uses the token that another program has refreshed in the meantime", () =>
    Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      const others = yield* token.pipe(Effect.provide(Auth.layer({ apiKey: "emulated" })))
      expect(yield* token).toEqual(others)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | The service rotates the refresh token | nothing
  it.effect("stores a rotated refresh token before it returns the new id token", () =>
    Effect.gen(function* () {
      yield* token
      const before = yield* stored
      yield* TestClock.adjust("2 hours")
      const renewed = yield* token
      const after = yield* stored
      expect(Option.map(after, ({ idToken }) => idToken)).toEqual(Option.some(renewed))
      expect(Option.map(after, ({ refreshToken }) => refreshToken)).not.toEqual(
        Option.map(before, ({ refreshToken }) => refreshToken)
      )
      yield* TestClock.adjust("2 hours")
      yield* token
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(withEmulator({ rotateRefreshTokens: true }))
  )

  // fault: Sessions | The clock is set ahead, then corrected | nothing
  it.effect("refreshes once when the clock jumps ahead, and once when it is corrected", () =>
    Effect.gen(function* () {
      const usedALot = Effect.repeat(Effect.zipRight(Effect.yieldNow(), token), Schedule.recurs(10))
      yield* usedALot
      yield* TestClock.setTime(Duration.toMillis("10 hours"))
      yield* usedALot
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
      yield* TestClock.setTime(0)
      yield* usedALot
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | The clock is set back | nothing
  it.effect("refreshes once when the clock is set back", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 hours")
      yield* token
      yield* TestClock.setTime(0)
      yield* token
      yield* Effect.repeat(token, Schedule.recurs(10))
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(withEmulator())
  )
})

describe("Auth.renew", () => {
  // fault: Sessions | 401 for a token that looks valid | nothing
  it.effect("refreshes once for all callers with the refused token", () =>
    Effect.gen(function* () {
      const refused = yield* token
      const renewed = yield* manyTimes(50, renew(refused))
      expect(new Set(renewed).size).toBe(1)
      expect(renewed[0]).not.toEqual(refused)
      expect(yield* renew(refused)).toEqual(renewed[0])
      expect(yield* token).toEqual(renewed[0])
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(withEmulator())
  )

  it.effect("returns the current token without a refresh if an older one was refused", () =>
    Effect.gen(function* () {
      const refused = yield* token
      const renewed = yield* renew(refused)
      yield* TestClock.adjust("31 minutes")
      expect(yield* renew(refused)).toEqual(renewed)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(withEmulator())
  )
})

describe("Auth at the end of the program", () => {
  // fault: Sessions | The program ends during a refresh | the next program has a session
  it.effect("completes a running refresh, so that a rotated token is stored", () =>
    Effect.gen(function* () {
      yield* token
      const before = yield* stored
      yield* TestClock.adjust("31 minutes")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const auth = yield* Auth.make({ apiKey: "emulated" })
          yield* auth.token
          yield* Effect.repeatN(Effect.yieldNow(), 3)
        })
      )
      expect(Option.map(yield* stored, ({ refreshToken }) => refreshToken)).not.toEqual(
        Option.map(before, ({ refreshToken }) => refreshToken)
      )
      yield* TestClock.adjust("2 hours")
      yield* token
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(withEmulator({ rotateRefreshTokens: true }))
  )
})

describe("Auth.signOut", () => {
  it.effect("removes the session from memory and from the store", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* Effect.flatMap(Auth.Auth, (auth) => auth.signOut)
      expect(yield* stored).toEqual(Option.none())
      expect(yield* token).not.toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 2, refresh: 0 })
    }).pipe(withEmulator())
  )
})

describe("Auth with a store whose saves begin to fail", () => {
  it.effect("does not return to the older session in the store", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      const first = yield* token
      const full = new ArtaError.TokenStoreError({ operation: "save", path: "/full/disk" })
      yield* Effect.gen(function* () {
        expect(yield* token).toBe(first)
        yield* TestClock.adjust("10 minutes")
        const second = yield* renew(first)
        yield* TestClock.adjust("31 minutes")
        expect(yield* token).toBe(second)
        yield* TestClock.adjust("1 second")
        expect([first, second]).not.toContain(yield* token)
      }).pipe(
        Effect.provide(Auth.layer({ apiKey: "emulated" })),
        Effect.provideService(TokenStore.TokenStore, { ...store, save: () => Effect.fail(full) })
      )
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(withEmulator({ rotateRefreshTokens: true }))
  )
})

describe("Auth.layerToken", () => {
  it.effect("always returns its token", () =>
    Effect.gen(function* () {
      const fixed = yield* token
      expect(fixed).toBe("mine")
      expect(yield* renew(fixed)).toEqual(fixed)
    }).pipe(Effect.provide(Auth.layerToken("mine\n")))
  )

  // fault: Sessions | A fixed token that no header can hold | `TransportError` that says so, with `sent: false`
  it.effect.each(["two\nlines", "t\u00f6ken", "\u2713", ""])("fails if no header can hold its token: %j", (given) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(token)
      expect(error).toMatchObject({ _tag: "TransportError", sent: false })
      expect(error.message).toContain("check the token of Auth.layerToken")
    }).pipe(Effect.provide(Auth.layerToken(given)))
  )
})

describe("Auth with a store that cannot save", () => {
  it.effect("keeps the session in memory", () =>
    Effect.gen(function* () {
      const store = yield* TokenStore.TokenStore
      const full = new ArtaError.TokenStoreError({
        operation: "save",
        path: "/full/disk",
        reason: "no space left"
      })
      const broken = { ...store, save: () => Effect.fail(full) }
      yield* Effect.gen(function* () {
        const first = yield* token
        yield* TestClock.adjust("2 hours")
        const second = yield* token
        expect(second).not.toEqual(first)
        yield* TestClock.adjust("2 hours")
        expect(yield* token).not.toEqual(second)
      }).pipe(Effect.provide(Auth.layer({ apiKey: "emulated" })), Effect.provideService(TokenStore.TokenStore, broken))
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(withEmulator({ rotateRefreshTokens: true }))
  )
})
