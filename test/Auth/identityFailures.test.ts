import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, TestClock } from "effect"
import { Auth } from "effect-arta"
import { Fault } from "effect-arta/testing"
import { counts, withEmulator, inject, runToEnd } from "../support/withEmulator.js"
import { stored, token } from "../support/session.js"

describe("Auth on errors of the identity service", () => {
  // fault: Sessions | The service has deleted the session | nothing
  it.effect.each(["INVALID_REFRESH_TOKEN", "TOKEN_EXPIRED", "USER_NOT_FOUND", "MISSING_REFRESH_TOKEN : detail"])(
    "signs up again once after %s",
    (code) =>
      Effect.gen(function* () {
        const first = yield* token
        yield* TestClock.adjust("2 hours")
        yield* inject(Fault.identityError("refresh", code))
        expect(yield* token).not.toEqual(first)
        expect(yield* counts).toMatchObject({ signUp: 2, refresh: 1 })
      }).pipe(withEmulator())
  )

  // fault: Sessions | A disabled account, another project's session, a malformed request | `AuthError` with the reason
  it.effect.each(["USER_DISABLED", "PROJECT_NUMBER_MISMATCH", "INVALID_GRANT_TYPE"])(
    "fails on %s without a retry or a new account, and keeps the stored session",
    (reason) =>
      Effect.gen(function* () {
        yield* token
        const before = yield* stored
        yield* TestClock.adjust("2 hours")
        yield* inject(Fault.identityError("refresh", reason))
        expect(yield* Effect.flip(token)).toMatchObject({ _tag: "AuthError", reason })
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
        expect(yield* stored).toEqual(before)
      }).pipe(withEmulator())
  )

  // fault: Sessions | 503, HTML, no reason, a lost connection or silence at a refresh | a short wait
  it.effect.each<[string, Fault.Fault]>([
    ["503", Fault.respond("refresh", 503)],
    ["500 with a reason", Fault.respond("refresh", 500, { body: { error: { message: "USER_NOT_FOUND" } } })],
    ["HTML", Fault.respond("refresh", 200, { body: "<h1>Welcome to the hotel</h1>" })],
    ["a refusal without a reason", Fault.identityError("refresh", "")],
    ["a lost connection", Fault.drop("refresh")],
    ["silence", Fault.hang("refresh")]
  ])("keeps the session through %s", ([, fault]) =>
    Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* inject(fault)
      yield* runToEnd(token)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | The token service stays broken | `TransportError`, and the session is kept
  it.effect("gives up after four attempts on a broken service, and keeps the session", () =>
    Effect.gen(function* () {
      yield* token
      const before = yield* stored
      yield* TestClock.adjust("2 hours")
      yield* inject(...Array.from({ length: 4 }, () => Fault.respond("refresh", 500)))
      expect(yield* runToEnd(Effect.flip(token))).toMatchObject({ _tag: "TransportError", operation: "refresh" })
      expect(yield* stored).toEqual(before)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 4 })
      yield* token
    }).pipe(withEmulator())
  )

  // fault: Sessions | A rate limit at a sign-up, also as 400, or as 503 with Retry-After | `RateLimitedError`, no further requests
  it.effect.each<[string, Fault.Fault]>([
    ["429", Fault.respond("signUp", 429, { headers: { "retry-after": "30" } })],
    ["503 with Retry-After", Fault.respond("signUp", 503, { headers: { "retry-after": "30" } })],
    ["TOO_MANY_ATTEMPTS_TRY_LATER as 400", Fault.identityError("signUp", "TOO_MANY_ATTEMPTS_TRY_LATER : slow down")],
    ["QUOTA_EXCEEDED as 400", Fault.identityError("signUp", "QUOTA_EXCEEDED")]
  ])("treats %s as a rate limit and sends no further requests", ([, fault]) =>
    Effect.gen(function* () {
      yield* inject(fault)
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "RateLimitedError", operation: "signUp" })
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "RateLimitedError" })
      expect(yield* counts).toMatchObject({ signUp: 1 })
      yield* TestClock.adjust("31 seconds")
      yield* token
      expect(yield* counts).toMatchObject({ signUp: 2 })
    }).pipe(withEmulator())
  )

  it.effect("keeps what the service said of a rate limit while it lasts", () =>
    Effect.gen(function* () {
      yield* inject(Fault.identityError("signUp", "QUOTA_EXCEEDED : key emulated"))
      const reason: unknown = expect.stringContaining("QUOTA_EXCEEDED : key <redacted>")
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "RateLimitedError", reason })
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "RateLimitedError", reason })
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(withEmulator())
  )

  it.effect.each<[string, Record<string, string>, number]>([
    ["the Retry-After period", { "retry-after": "20" }, 20],
    ["five seconds without a Retry-After", {}, 5]
  ])("sends no request to a rate-limited service for %s", ([, headers, seconds]) =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      yield* inject(Fault.respond("signUp", 429, { headers }))
      yield* Effect.flip(token)
      yield* TestClock.adjust(Duration.seconds(seconds - 1))
      const retryAfter = Duration.seconds(1)
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "RateLimitedError", operation: "signUp", retryAfter })
      yield* TestClock.adjust(retryAfter)
      yield* token
      expect(yield* counts).toMatchObject({ signUp: 2 })
    }).pipe(withEmulator())
  )

  // The refusal asks for no pause that could hide the one that the rate limit asks for.
  it.effect("sends no request to a rate-limited service that refused the sign-up before", () =>
    Effect.gen(function* () {
      yield* inject(Fault.identityError("signUp", "USER_DISABLED"), Fault.identityError("signUp", "QUOTA_EXCEEDED"))
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "AuthError" })
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "RateLimitedError" })
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "RateLimitedError" })
      expect(yield* counts).toMatchObject({ signUp: 2 })
    }).pipe(withEmulator())
  )

  it.effect("retries a refused refresh only after the token has expired", () =>
    Effect.gen(function* () {
      const first = yield* token
      yield* TestClock.adjust("31 minutes")
      yield* inject(Fault.identityError("refresh", "USER_DISABLED"))
      yield* token
      yield* TestClock.adjust("10 minutes")
      expect(yield* token).toBe(first)
      yield* TestClock.adjust("1 second")
      expect(yield* counts).toMatchObject({ refresh: 1 })
      yield* TestClock.adjust("1 hour")
      expect(yield* token).not.toBe(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
    }).pipe(withEmulator())
  )

  it.effect("refreshes in the background again after a refusal and a success", () =>
    Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* inject(Fault.identityError("refresh", "USER_DISABLED"))
      yield* Effect.flip(token)
      const second = yield* token
      yield* TestClock.adjust("31 minutes")
      expect(yield* token).toBe(second)
      yield* TestClock.adjust("1 second")
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 3 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | Sign-up is switched off | `AuthError` with the reason
  it.effect.each(["ADMIN_ONLY_OPERATION", "OPERATION_NOT_ALLOWED"])(
    "reports on %s that sign-up is disabled",
    (reason) =>
      Effect.gen(function* () {
        yield* inject(Fault.identityError("signUp", reason))
        expect(yield* Effect.flip(token)).toMatchObject({ _tag: "AuthError", reason })
        expect(yield* counts).toMatchObject({ signUp: 1 })
      }).pipe(withEmulator())
  )

  // fault: Sessions | An unknown error code with details | `ResponseError` with the detail
  it.effect("passes on an unknown refusal without its secrets", () =>
    Effect.gen(function* () {
      yield* inject(Fault.identityError("signUp", "SOMETHING_NEW : key emulated is odd"))
      const error = yield* Effect.flip(token)
      expect(error).toMatchObject({ _tag: "ResponseError", operation: "signUp", status: 400 })
      expect(error.message).toContain("SOMETHING_NEW : key <redacted> is odd")
    }).pipe(withEmulator())
  )

  // fault: Sessions | A wrong or missing API key | `AuthError` that names `ARTA_API_KEY`
  it.effect.each<[string, string]>([
    ["no-such-key", "API_KEY_INVALID"],
    ["", "API_KEY_MISSING"]
  ])("names ARTA_API_KEY for the API key %j", ([apiKey, reason]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(token.pipe(Effect.provide(Auth.layer({ apiKey }))))
      expect(error).toMatchObject({ _tag: "AuthError", reason })
      expect(error.message).toContain("ARTA_API_KEY")
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(withEmulator({ apiKeys: ["good-key"] }))
  )

  // fault: Sessions | An API key that has expired, or that the service does not know | `AuthError` that says so
  it.effect.each([
    ["API key expired. Please renew the API key.", "API_KEY_EXPIRED", "has expired"],
    ["API Key not found. Please pass a valid API key.", "API_KEY_INVALID", "is invalid"]
  ] as const)("reads %s", ([message, reason, says]) =>
    Effect.gen(function* () {
      yield* inject(Fault.identityError("signUp", message))
      const error = yield* Effect.flip(token)
      expect(error).toMatchObject({ _tag: "AuthError", reason })
      expect(error.message).toContain(says)
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(withEmulator())
  )
})
