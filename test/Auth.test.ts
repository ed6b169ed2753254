import type { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Option, Redacted, Ref, Schedule, TestClock } from "effect"
import { ArtaError, Auth, Credentials, TokenStore } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import type { Step } from "./support/scripted.js"
import { scripted } from "./support/scripted.js"

const emulated = (options: ArtaEmulator.Options = {}) => Effect.provide(ArtaEmulator.layerArta(options))

// `expect` takes all redacted values for equal, so the tests compare what is in them.
const token = Effect.flatMap(Auth.Auth, (auth) => Effect.map(auth.token, Redacted.value))
const renew = (refused: string) =>
  Effect.flatMap(Auth.Auth, (auth) => Effect.map(auth.renew(Redacted.make(refused)), Redacted.value))
const stored = Effect.flatMap(TokenStore.TokenStore, (store) =>
  Effect.map(
    store.load,
    Option.map((session) => ({
      ...session,
      idToken: Redacted.value(session.idToken),
      refreshToken: Redacted.value(session.refreshToken)
    }))
  )
)
const counts = Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => emulator.counts)
const inject = (fault: Fault.Fault) => Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => emulator.inject(fault))

const manyTimes = <A, E, R>(times: number, effect: Effect.Effect<A, E, R>) =>
  Effect.all(Effect.replicate(effect, times), { concurrency: "unbounded" })

/** Runs an effect that has to wait, and lets virtual time pass until it is done. */
const patiently = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust("1 minute")
    return yield* Fiber.join(fiber)
  })

describe("Auth.token", () => {
  it.effect("signs up once for any number of fibers, and stores the session", () =>
    Effect.gen(function* () {
      const tokens = yield* manyTimes(200, token)
      expect(new Set(tokens).size).toBe(1)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0 })
      expect(Option.map(yield* stored, ({ idToken }) => idToken)).toEqual(Option.fromNullable(tokens[0]))
    }).pipe(emulated())
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
    }).pipe(emulated())
  )

  it.effect("refreshes in the background once half of the life is gone, and nobody waits for it", () =>
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
    }).pipe(emulated())
  )

  it.effect("uses a valid token while refreshing it fails, and does not ask again at every call", () =>
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
    }).pipe(emulated())
  )

  it.effect("refreshes an expired session once for all, and signs up no more", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* TestClock.adjust("2 hours")
      const tokens = yield* manyTimes(100, token)
      expect(new Set(tokens).size).toBe(1)
      expect(tokens[0]).not.toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(emulated())
  )

  it.effect("shares a failure with all who wait, and tries again at the next call", () =>
    Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* inject(Fault.identityError("refresh", "USER_DISABLED"))
      const errors = yield* manyTimes(100, Effect.flip(token))
      expect(errors.every((error) => error._tag === "AuthError" && error.reason === "USER_DISABLED")).toBe(true)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
      yield* token
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(emulated())
  )

  it.effect("goes on for the others when the first caller is interrupted", () =>
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
    }).pipe(emulated())
  )

  it.effect("takes up the session of an earlier program", () =>
    Effect.gen(function* () {
      const first = yield* token
      const again = yield* token.pipe(Effect.provide(Auth.layer({ apiKey: "k" })))
      expect(again).toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0 })
    }).pipe(emulated())
  )

  it.effect("takes up the token that another program has renewed meanwhile", () =>
    Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      const others = yield* token.pipe(Effect.provide(Auth.layer({ apiKey: "emulated" })))
      expect(yield* token).toEqual(others)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(emulated())
  )

  it.effect("stores a rotated refresh token before the new id token is used", () =>
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
    }).pipe(emulated({ rotateRefreshTokens: true }))
  )

  it.effect.each(["INVALID_REFRESH_TOKEN", "TOKEN_EXPIRED", "USER_NOT_FOUND", "MISSING_REFRESH_TOKEN : detail"])(
    "signs up again, once, on %s",
    (code) =>
      Effect.gen(function* () {
        const first = yield* token
        yield* TestClock.adjust("2 hours")
        yield* inject(Fault.identityError("refresh", code))
        expect(yield* token).not.toEqual(first)
        expect(yield* counts).toMatchObject({ signUp: 2, refresh: 1 })
      }).pipe(emulated())
  )

  it.effect.each(["USER_DISABLED", "PROJECT_NUMBER_MISMATCH", "INVALID_GRANT_TYPE"])(
    "fails on %s without a retry or a new account, and leaves the stored session alone",
    (reason) =>
      Effect.gen(function* () {
        yield* token
        const before = yield* stored
        yield* TestClock.adjust("2 hours")
        yield* inject(Fault.identityError("refresh", reason))
        expect(yield* Effect.flip(token)).toMatchObject({ _tag: "AuthError", reason })
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
        expect(yield* stored).toEqual(before)
      }).pipe(emulated())
  )

  it.effect.each<[string, Fault.Fault]>([
    ["503", Fault.respond("refresh", 503)],
    ["HTML", Fault.respond("refresh", 200, { body: "<h1>Welcome to the hotel</h1>" })],
    ["a lost connection", Fault.drop("refresh")],
    ["silence", Fault.hang("refresh")]
  ])("keeps the session through %s", ([, fault]) =>
    Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* inject(fault)
      yield* patiently(token)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(emulated())
  )

  it.effect("gives up on a broken service after a few tries, and keeps the session", () =>
    Effect.gen(function* () {
      yield* token
      const before = yield* stored
      yield* TestClock.adjust("2 hours")
      yield* manyTimes(4, inject(Fault.respond("refresh", 500)))
      expect(yield* patiently(Effect.flip(token))).toMatchObject({ _tag: "TransportError", operation: "refresh" })
      expect(yield* stored).toEqual(before)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 4 })
      yield* token
    }).pipe(emulated())
  )

  it.effect.each<[string, Fault.Fault]>([
    ["429", Fault.respond("signUp", 429, { headers: { "retry-after": "30" } })],
    ["TOO_MANY_ATTEMPTS_TRY_LATER as 400", Fault.identityError("signUp", "TOO_MANY_ATTEMPTS_TRY_LATER : slow down")],
    ["QUOTA_EXCEEDED as 400", Fault.identityError("signUp", "QUOTA_EXCEEDED")]
  ])("takes %s for a rate limit and does not insist", ([, fault]) =>
    Effect.gen(function* () {
      yield* inject(fault)
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "RateLimitedError", operation: "signUp" })
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(emulated())
  )

  it.effect.each(["ADMIN_ONLY_OPERATION", "OPERATION_NOT_ALLOWED"])("says that sign-up is off on %s", (reason) =>
    Effect.gen(function* () {
      yield* inject(Fault.identityError("signUp", reason))
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "AuthError", reason })
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(emulated())
  )

  it.effect("passes an unknown refusal on, without the secrets in it", () =>
    Effect.gen(function* () {
      yield* inject(Fault.identityError("signUp", "SOMETHING_NEW : key emulated is odd"))
      const error = yield* Effect.flip(token)
      expect(error).toMatchObject({ _tag: "ResponseError", operation: "signUp", status: 400 })
      expect(error.message).toContain("SOMETHING_NEW : key <redacted> is odd")
    }).pipe(emulated())
  )

  it.effect.each<[string, string]>([
    ["no-such-key", "API_KEY_INVALID"],
    ["", "API_KEY_MISSING"]
  ])("says what is wrong with the API key %j", ([apiKey, reason]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(token.pipe(Effect.provide(Auth.layer({ apiKey }))))
      expect(error).toMatchObject({ _tag: "AuthError", reason })
      expect(error.message).toContain("ARTA_API_KEY")
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(emulated({ apiKeys: ["good-key"] }))
  )

  it.effect("refreshes once when the clock is set back by hours", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 hours")
      yield* token
      yield* TestClock.setTime(0)
      yield* token
      yield* Effect.repeat(token, Schedule.recurs(10))
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(emulated())
  )
})

describe("Auth.renew", () => {
  it.effect("renews once for all who hold the refused token", () =>
    Effect.gen(function* () {
      const refused = yield* token
      const renewed = yield* manyTimes(50, renew(refused))
      expect(new Set(renewed).size).toBe(1)
      expect(renewed[0]).not.toEqual(refused)
      expect(yield* renew(refused)).toEqual(renewed[0])
      expect(yield* token).toEqual(renewed[0])
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(emulated())
  )

  it.effect("takes a stored token that was not refused", () =>
    Effect.gen(function* () {
      const refused = yield* token
      const others = yield* renew(refused).pipe(Effect.provide(Auth.layer({ apiKey: "emulated" })))
      expect(yield* renew(refused)).toEqual(others)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(emulated())
  )
})

describe("Auth.signOut", () => {
  it.effect("forgets the session here and in the store", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* Effect.flatMap(Auth.Auth, (auth) => auth.signOut)
      expect(yield* stored).toEqual(Option.none())
      expect(yield* token).not.toEqual(first)
      expect(yield* counts).toMatchObject({ signUp: 2, refresh: 0 })
    }).pipe(emulated())
  )
})

describe("Auth.layerToken", () => {
  it.effect("hands out its token and nothing else", () =>
    Effect.gen(function* () {
      const fixed = yield* token
      expect(fixed).toBe("mine")
      expect(yield* renew(fixed)).toEqual(fixed)
    }).pipe(Effect.provide(Auth.layerToken("mine")))
  )
})

describe("Auth with a store that cannot save", () => {
  it.effect("works on in memory", () =>
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
        yield* TestClock.adjust("2 hours")
        expect(yield* token).not.toEqual(second)
        expect(second).not.toEqual(first)
      }).pipe(Effect.provide(Auth.layer({ apiKey: "emulated" })), Effect.provideService(TokenStore.TokenStore, broken))
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(emulated({ rotateRefreshTokens: true }))
  )
})

describe("the wire of sign-up and refresh", () => {
  const signedUp = { kind: "k", localId: "me", idToken: "id-1", refreshToken: "refresh-1", expiresIn: "3600" }
  const refreshed = { id_token: "id-2", access_token: "id-2", expires_in: "3600", token_type: "Bearer", user_id: "me" }

  const on = (http: Layer.Layer<HttpClient.HttpClient>) =>
    Effect.provide(
      Auth.layer({ apiKey: Redacted.make("a key") }).pipe(
        Layer.provideMerge(TokenStore.layerMemory),
        Layer.provide(http)
      )
    )

  it.effect("sends what PROTOCOL.md says", () => {
    const http = scripted({ signupNewUser: [{ body: signedUp }], "securetoken.googleapis.com": [{ body: refreshed }] })
    return Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* token
      const [signUp, refresh] = http.seen
      expect(signUp?.method).toBe("POST")
      expect(signUp?.url).toBe("https://www.googleapis.com/identitytoolkit/v3/relyingparty/signupNewUser?key=a+key")
      expect(JSON.parse(signUp?.body ?? "")).toEqual({ clientType: "CLIENT_TYPE_ANDROID", returnSecureToken: true })
      expect(refresh?.url).toBe("https://securetoken.googleapis.com/v1/token?key=a+key")
      expect(refresh?.headers["content-type"]).toContain("application/x-www-form-urlencoded")
      expect(refresh?.body).toBe("grant_type=refresh_token&refresh_token=refresh-1")
      expect(Object.keys(refresh?.headers ?? {})).not.toContain("traceparent")
    }).pipe(on(http.layer))
  })

  it.effect("keeps the refresh token that an answer leaves out", () => {
    const http = scripted({ signupNewUser: [{ body: signedUp }], "/v1/token": [{ body: refreshed }] })
    return Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* token
      expect(Option.map(yield* stored, ({ refreshToken }) => refreshToken)).toEqual(Option.some("refresh-1"))
    }).pipe(on(http.layer))
  })

  it.effect.each<[unknown, number]>([
    ["3600", 3_600_000],
    [3600, 3_600_000],
    ["1e300", 1e303]
  ])("reads expiresIn %j", ([expiresIn, millis]) => {
    const http = scripted({ signupNewUser: [{ body: { ...signedUp, expiresIn } }] })
    return Effect.gen(function* () {
      yield* token
      yield* token
      expect(http.seen).toHaveLength(1)
      expect(Option.map(yield* stored, (session) => Duration.toMillis(session.expiresIn))).toEqual(Option.some(millis))
    }).pipe(on(http.layer))
  })

  it.effect.each<[string, Step]>([
    ["an empty expiresIn", { body: { ...signedUp, expiresIn: "" } }],
    ["expiresIn NaN", { body: { ...signedUp, expiresIn: "NaN" } }],
    ["a negative expiresIn", { body: { ...signedUp, expiresIn: "-5" } }],
    ["no idToken", { body: { ...signedUp, idToken: undefined } }],
    ["an HTML page", { body: "<html>" }],
    ["an HTML page with 403", { status: 403, body: "<html>" }]
  ])("fails with TransportError on %s", ([, step]) => {
    const http = scripted({ signupNewUser: [step] })
    return Effect.gen(function* () {
      const error = yield* patiently(Effect.flip(token))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "signUp", sent: true })
      expect(error.message).not.toContain("refresh-1")
    }).pipe(on(http.layer))
  })

  it.effect("tells that nothing was sent where no connection came about", () => {
    const http = scripted({ signupNewUser: [{ code: "ECONNREFUSED" }] })
    return Effect.gen(function* () {
      const error = yield* patiently(Effect.flip(token))
      expect(error).toMatchObject({ _tag: "TransportError", reason: "connection refused", sent: false })
    }).pipe(on(http.layer))
  })
})

describe("Credentials", () => {
  const lasting = (expiresIn: Duration.DurationInput) =>
    new Credentials.Credentials({
      localId: "me",
      idToken: Redacted.make("id"),
      refreshToken: Redacted.make("refresh"),
      issuedAt: 1_000_000,
      expiresIn: Duration.decode(expiresIn)
    })
  const minutes = (n: number) => 1_000_000 + n * 60_000

  it("are fresh for half of their life and valid until shortly before its end", () => {
    const hour = lasting("1 hour")
    expect([0, 29.9, 30, 59, 59.6, 61].map((n) => Credentials.isFresh(hour, minutes(n)))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false
    ])
    expect([0, 30, 59, 59.6, 61].map((n) => Credentials.isValid(hour, minutes(n)))).toEqual([
      true,
      true,
      true,
      false,
      false
    ])
  })

  it("can be used even when they live for seconds", () => {
    expect(Credentials.isValid(lasting("10 seconds"), 1_000_000 + 8_000)).toBe(true)
    expect(Credentials.isValid(lasting("10 seconds"), 1_000_000 + 9_500)).toBe(false)
  })

  it("are not trusted when they seem to come from the future", () => {
    expect(Credentials.isValid(lasting("1 hour"), minutes(-10))).toBe(false)
    expect(Credentials.isValid(lasting("1 hour"), minutes(-0.1))).toBe(true)
  })

  it("do not show their tokens", () => {
    const shown = `${String(lasting("1 hour"))} ${JSON.stringify(lasting("1 hour"))}`
    expect(shown).not.toMatch(/"id"|"refresh"/)
  })
})
