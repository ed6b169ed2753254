import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Option, TestClock } from "effect"
import { Arta, ArtaApi, type ArtaError, Auth, GenerateRequest, TokenStore } from "effect-arta"
import { Fault } from "effect-arta/testing"
import { renew, token } from "../support/session.js"
import { counts, inject, withEmulator } from "../support/withEmulator.js"

const request = new GenerateRequest.GenerateRequest({ prompt: "a cat" })

const submit = Effect.flatMap(ArtaApi.ArtaApi, (api) => api.submit(request))

/** From now on, the API refuses every token, and the token service knows no session. */
const refuseEverything = Effect.forEach(Array.from({ length: 200 }), () =>
  inject(Fault.respond("submit", 401), Fault.identityError("refresh", "USER_NOT_FOUND"))
)

const submitEach = (times: number, concurrency: number) =>
  Effect.all(Effect.replicate(Effect.flip(submit), times), { concurrency })

const unusable = { localId: "me", idToken: "id-1", expiresIn: "3600" }

const tagsOf = (errors: ReadonlyArray<ArtaError.ArtaError>) => new Set(errors.map(({ _tag }) => _tag))

describe("Auth when the services refuse every account", () => {
  // fault: Sessions | Every token is refused, and every session is gone | one sign-up, then `AuthError` without requests
  it.effect("signs up once for sixty submissions, and tells what to do", () =>
    Effect.gen(function* () {
      yield* refuseEverything
      const errors = yield* submitEach(60, 1)
      expect(tagsOf(errors)).toEqual(new Set(["AuthError"]))
      expect(errors[59]).toMatchObject({ reason: "NEW_ACCOUNT_REFUSED" })
      expect(errors[59]?.message).toContain("check the API key")
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1, submit: 1 })
    }).pipe(withEmulator())
  )

  it.effect("signs up once for sixty concurrent submissions", () =>
    Effect.gen(function* () {
      yield* refuseEverything
      yield* submitEach(60, 60)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1, submit: 60 })
    }).pipe(withEmulator())
  )

  it.effect("signs up once more if an older account is refused", () =>
    Effect.gen(function* () {
      yield* submit
      yield* TestClock.adjust("10 minutes")
      yield* refuseEverything
      const errors = yield* submitEach(60, 1)
      expect(tagsOf(errors)).toEqual(new Set(["UnauthorizedError", "AuthError"]))
      // The first submission, then twice the old and the new token, then once more the new one.
      expect(yield* counts).toMatchObject({ signUp: 2, refresh: 2, submit: 4 })
    }).pipe(withEmulator())
  )

  it.effect("doubles the cooldown between sign-ups, up to an hour", () =>
    Effect.gen(function* () {
      yield* refuseEverything
      yield* Effect.flip(submit)
      for (const [index, minutes] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
        expect(yield* Effect.flip(submit)).toMatchObject({ reason: "NEW_ACCOUNT_REFUSED" })
        yield* TestClock.adjust(Duration.seconds(minutes * 60 - 1))
        yield* Effect.flip(submit)
        expect(yield* counts).toMatchObject({ signUp: index + 1 })
        yield* TestClock.adjust("1 second")
        yield* Effect.flip(submit)
        expect(yield* counts).toMatchObject({ signUp: index + 2 })
      }
    }).pipe(withEmulator())
  )

  it.effect("signs up in a slow program less and less often too", () =>
    Effect.gen(function* () {
      yield* refuseEverything
      for (let hour = 0; hour < 8; hour += 0.1) {
        yield* Effect.flip(submit)
        yield* TestClock.adjust("6 minutes")
      }
      expect((yield* counts).signUp).toBeLessThanOrEqual(13)
    }).pipe(withEmulator())
  )

  // fault: Sessions | A sign-up succeeds with a response that cannot be used | one sign-up, then its error until the cooldown ends
  it.effect.each<[string, number, unknown]>([
    ["no refresh token", 200, unusable],
    ["a token with a line break", 200, { ...unusable, idToken: "id\n1", refreshToken: "r" }],
    ["a number as the id", 200, { ...unusable, localId: 5, refreshToken: "r" }],
    ["another status", 201, { ...unusable, refreshToken: "r" }]
  ])("does not sign up again and again for %s", ([, status, body]) =>
    Effect.gen(function* () {
      yield* Effect.forEach(Array.from({ length: 10 }), () => inject(Fault.respond("signUp", status, { body })))
      for (const [index, seconds] of [30, 60, 120].entries()) {
        const errors = yield* submitEach(6, 3)
        expect(tagsOf(errors)).toEqual(new Set(["TransportError"]))
        expect(errors[5]?.message).toContain(
          `an unusable response (HTTP ${String(status)}), and no other sign-up for ${String(seconds)}s: it may create an account`
        )
        expect(yield* counts).toMatchObject({ signUp: index + 1, submit: 0 })
        yield* TestClock.adjust(Duration.seconds(seconds))
      }
    }).pipe(withEmulator())
  )

  const loseSession = Effect.forEach(Array.from({ length: 50 }), () =>
    inject(Fault.identityError("refresh", "USER_NOT_FOUND"), Fault.respond("signUp", 200, { body: unusable }))
  )

  it.effect("does not sign up again at once after an account that worked", () =>
    Effect.gen(function* () {
      yield* submit
      yield* Effect.flatMap(Auth.Auth, ({ signOut }) => signOut)
      yield* loseSession
      yield* submitEach(4, 1)
      expect(yield* counts).toMatchObject({ signUp: 2, submit: 1 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | The session is gone and a sign-up unusable while the token still works | the token is used
  it.effect("goes on with a token that works", () =>
    Effect.gen(function* () {
      yield* submit
      yield* loseSession
      yield* TestClock.adjust("31 minutes")
      yield* Effect.replicateEffect(Effect.zipRight(submit, TestClock.adjust("5 seconds")), 60)
      const { signUp, submit: submitted } = yield* counts
      expect(submitted).toBe(61)
      expect(signUp).toBeLessThanOrEqual(11)
    }).pipe(withEmulator())
  )

  // fault: Poll | A poll's token is refused, its session is gone, and a sign-up unusable | polled again with the token
  it.effect("does not end the polling of a generation", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Arta.run({ prompt: "a cat" }, { timeout: "1 hour" }))
      yield* TestClock.adjust("10 minutes")
      yield* inject(
        Fault.respond("status", 401),
        Fault.identityError("refresh", "USER_NOT_FOUND"),
        Fault.respond("signUp", 200, { body: unusable })
      )
      yield* TestClock.adjust("20 minutes")
      expect((yield* Fiber.join(fiber)).images).toHaveLength(1)
      expect(yield* counts).toMatchObject({ signUp: 2, submit: 1 })
    }).pipe(withEmulator({ drawTime: "20 minutes" }))
  )

  it.effect("signs up again after a response that says that it failed", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("signUp", 503), Fault.respond("signUp", 403))
      const fiber = yield* Effect.fork(submit)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      expect(yield* counts).toMatchObject({ signUp: 3, submit: 1 })
    }).pipe(withEmulator())
  )

  it.effect("does not sign up again in another program that shares the store", () =>
    Effect.gen(function* () {
      yield* refuseEverything
      yield* submitEach(3, 1)
      const elsewhere = Effect.gen(function* () {
        const auth = yield* Auth.Auth
        return yield* Effect.flip(Effect.flatMap(auth.token, auth.renew))
      }).pipe(Effect.provide(Auth.layer({ apiKey: "emulated" })))
      expect(yield* elsewhere).toMatchObject({ reason: "NEW_ACCOUNT_REFUSED" })
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(withEmulator())
  )

  it.effect("signs up at once if the API has accepted the account before", () =>
    Effect.gen(function* () {
      yield* submit
      yield* TestClock.adjust("5 seconds")
      yield* inject(Fault.respond("submit", 401), Fault.identityError("refresh", "USER_NOT_FOUND"))
      yield* submit
      expect(yield* counts).toMatchObject({ signUp: 2, refresh: 1, submit: 3 })
      yield* inject(Fault.respond("submit", 401), Fault.identityError("refresh", "USER_NOT_FOUND"))
      yield* submit
      expect(yield* counts).toMatchObject({ signUp: 3, refresh: 2, submit: 5 })
    }).pipe(withEmulator())
  )

  it.effect("works again after the cooldown once the services do", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 401), Fault.identityError("refresh", "USER_NOT_FOUND"))
      expect(yield* Effect.flip(submit)).toMatchObject({ reason: "NEW_ACCOUNT_REFUSED" })
      expect(yield* Effect.flip(token)).toMatchObject({ reason: "NEW_ACCOUNT_REFUSED" })
      yield* TestClock.adjust("1 minute")
      yield* submit
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1, submit: 2 })
    }).pipe(withEmulator())
  )

  it.effect("still refreshes a new token that is refused", () =>
    Effect.gen(function* () {
      const first = yield* token
      expect(yield* renew(first)).not.toBe(first)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
      expect(Option.isSome(yield* Effect.flatMap(TokenStore.TokenStore, ({ load }) => load))).toBe(true)
    }).pipe(withEmulator())
  )
})
