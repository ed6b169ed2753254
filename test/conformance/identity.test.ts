import { FileSystem, HttpClient, HttpClientRequest, Path } from "@effect/platform"
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { afterEach, expect, layer, vi } from "@effect/vitest"
import { Duration, Effect, Layer, flow, Option, Redacted } from "effect"
import { Auth, Credentials, TokenStore } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { renew, stored, token } from "../support/session.js"
import * as Theirs from "./identityToolkit.js"

const fifty = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.all(Effect.replicate(effect, 50), { concurrency: "unbounded" })

/** Advances the clock of both the client and the emulator. */
const twoHoursLater = Effect.sync(() => vi.setSystemTime(Date.now() + 7_200_000))
afterEach(() => vi.useRealTimers())

const inFile = Layer.unwrapScoped(
  Effect.gen(function* () {
    const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
    return TokenStore.layerFileSystem((yield* Path.Path).join(directory, "credentials.json"))
  })
).pipe(Layer.provide(NodeContext.layer), Layer.orDie)

/** A client of an emulator without accounts. */
const client = (path: "signUpUrl" | "newSignUpUrl" = "signUpUrl", store = TokenStore.layerMemory, apiKey = "any") =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      yield* Theirs.deleteAllAccounts
      const { tokenUrl, ...signUpUrls } = yield* Theirs.urls
      return Auth.layer({ apiKey, signUpUrl: signUpUrls[path], tokenUrl })
    })
  ).pipe(Layer.provideMerge(store))

type Urls = Effect.Effect.Success<typeof Theirs.urls>

const ours = Effect.map(ArtaEmulator.urls, ({ signUpUrl, tokenUrl }): Urls => ({
  signUpUrl,
  newSignUpUrl: new URL("/v1/accounts:signUp", signUpUrl).href,
  tokenUrl
}))

const generated = /^(local|user|project)_?id$|token$/i

/** The status and body of a response. Generated values are replaced by their types. */
const exchange = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.gen(function* () {
    const response = yield* Effect.flatMap(HttpClient.HttpClient, (http) => http.execute(request))
    const body: unknown = JSON.parse(yield* response.text, (name, value: unknown) =>
      generated.test(name) ? typeof value : value
    )
    return { status: response.status, body }
  })

const refreshTokenFrom = (urls: Urls) =>
  Effect.zipRight(token, stored).pipe(
    Effect.map((session) => Option.getOrThrow(session).refreshToken),
    Effect.provide(Layer.provideMerge(Auth.layer({ apiKey: "any", ...urls }), TokenStore.layerMemory))
  )

type Change = (request: HttpClientRequest.HttpClientRequest) => HttpClientRequest.HttpClientRequest

const signUp: Change = HttpClientRequest.bodyUnsafeJson({ clientType: "CLIENT_TYPE_ANDROID", returnSecureToken: true })
const refresh =
  (form: Record<string, string | undefined> = {}) =>
  (refreshToken: string): Change =>
    HttpClientRequest.bodyUrlParams({ grant_type: "refresh_token", refresh_token: refreshToken, ...form })
const withoutKey: Change = HttpClientRequest.setUrlParam("key", "")
const keyMissing = "The request is missing a valid API key."

const questions: ReadonlyArray<
  readonly [name: string, to: keyof Urls, question: (refreshToken: string) => Change, refusal?: string]
> = [
  ["a sign-up", "signUpUrl", () => signUp],
  ["a sign-up at the newer path", "newSignUpUrl", () => signUp],
  ["a sign-up without an API key", "signUpUrl", () => flow(signUp, withoutKey), keyMissing],
  ["a refresh", "tokenUrl", refresh()],
  ["a refresh without an API key", "tokenUrl", (valid) => flow(refresh()(valid), withoutKey), keyMissing],
  ["an unknown refresh token", "tokenUrl", refresh({ refresh_token: "unknown" }), "INVALID_REFRESH_TOKEN"],
  ["no refresh token", "tokenUrl", refresh({ refresh_token: undefined }), "MISSING_REFRESH_TOKEN"],
  ["no grant type", "tokenUrl", refresh({ grant_type: undefined }), "MISSING_GRANT_TYPE"],
  ["another grant type", "tokenUrl", refresh({ grant_type: "password" }), "INVALID_GRANT_TYPE"]
]

layer(Layer.merge(Theirs.layerIdentityToolkit, NodeHttpClient.layerUndici), {
  excludeTestServices: true,
  timeout: "1 minute"
})("on the Identity Toolkit emulator of Firebase", (it) => {
  it.effect.each([
    ["signupNewUser", "signUpUrl", TokenStore.layerMemory],
    ["accounts:signUp", "newSignUpUrl", inFile]
  ] as const)("the client creates and keeps one account for any number of fibers with %s", ([, path, store]) =>
    Effect.gen(function* () {
      const [first = "", ...others] = yield* fifty(token)
      expect(new Set(others)).toEqual(new Set([first]))
      const account = yield* Theirs.accountOf(first)
      const session = yield* stored
      expect(Option.getOrThrow(session)).toMatchObject({ localId: account, idToken: first })
      expect(Option.map(session, ({ expiresIn }) => Duration.toSeconds(expiresIn))).toEqual(Option.some(3600))

      yield* twoHoursLater
      const refreshed = new Set(yield* fifty(token))
      expect(refreshed.size).toBe(1)
      expect(refreshed).not.toContain(first)
      expect(yield* Effect.forEach(refreshed, Theirs.accountOf)).toEqual([account])
      expect(yield* Theirs.countAccounts).toBe(1)
    }).pipe(Effect.provide(client(path, store)))
  )

  it.effect("the client refreshes a token that was refused", () =>
    Effect.gen(function* () {
      const refused = yield* token
      yield* Effect.sync(() => vi.setSystemTime(Date.now() + 60_000))
      const renewed = yield* renew(refused)
      expect(renewed).not.toBe(refused)
      expect(yield* Theirs.accountOf(renewed)).toBe(yield* Theirs.accountOf(refused))
      expect(yield* token).toBe(renewed)
      expect(yield* Theirs.countAccounts).toBe(1)
    }).pipe(Effect.provide(client()))
  )

  it.effect("the client signs up once when its refresh token is unknown", () =>
    Effect.gen(function* () {
      const stale = new Credentials.Credentials({
        localId: "nobody",
        idToken: Redacted.make("stale"),
        refreshToken: Redacted.make("unknown"),
        issuedAt: 0,
        expiresIn: Duration.hours(1)
      })
      yield* Effect.flatMap(TokenStore.TokenStore, (store) => store.save(stale))
      const [first = ""] = yield* fifty(token)
      expect(Option.getOrThrow(yield* stored)).toMatchObject({ localId: yield* Theirs.accountOf(first) })
      expect(yield* Theirs.countAccounts).toBe(1)
    }).pipe(Effect.provide(client()))
  )

  it.effect("the client signs up once when its account was deleted", () =>
    Effect.gen(function* () {
      const deleted = yield* Effect.flatMap(token, Theirs.accountOf)
      yield* Theirs.deleteAccount(deleted)
      yield* twoHoursLater
      const [first = ""] = yield* fifty(token)
      expect(yield* Theirs.accountOf(first)).not.toBe(deleted)
      expect(yield* Theirs.countAccounts).toBe(1)
    }).pipe(Effect.provide(client()))
  )

  it.effect("the client fails when its account was disabled, and keeps the session", () =>
    Effect.gen(function* () {
      yield* Theirs.disableAccount(yield* Effect.flatMap(token, Theirs.accountOf))
      const before = yield* stored
      yield* twoHoursLater
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "AuthError", reason: "USER_DISABLED" })
      expect(yield* stored).toEqual(before)
      expect(yield* Theirs.countAccounts).toBe(1)
    }).pipe(Effect.provide(client()))
  )

  it.effect("the client fails if anonymous sign-up is disabled", () =>
    Effect.gen(function* () {
      // Only a tenant can disable sign-up. The client does not support tenants, so this redirects its request to one.
      const tenant = yield* Theirs.closedTenant
      const toTenant = HttpClient.mapRequest(HttpClientRequest.bodyUnsafeJson({ returnSecureToken: true, ...tenant }))
      const error = yield* Effect.flip(token).pipe(
        Effect.provide(client("newSignUpUrl")),
        Effect.updateService(HttpClient.HttpClient, toTenant)
      )
      expect(error).toMatchObject({ _tag: "AuthError", reason: "ADMIN_ONLY_OPERATION" })
    })
  )

  it.effect("the client fails without an API key", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(token)).toMatchObject({ _tag: "AuthError", reason: "API_KEY_MISSING" })
      expect(yield* Theirs.countAccounts).toBe(0)
    }).pipe(Effect.provide(client("signUpUrl", TokenStore.layerMemory, "")))
  )

  it.effect.each(questions)("ArtaEmulator gives the same response to %s", ([, to, question, refusal]) => {
    const responseFrom = (urls: Urls) =>
      Effect.flatMap(refreshTokenFrom(urls), (refreshToken) =>
        HttpClientRequest.post(urls[to]).pipe(
          HttpClientRequest.setUrlParam("key", "any"),
          question(refreshToken),
          exchange
        )
      )
    return Effect.gen(function* () {
      const theirs = yield* Effect.flatMap(Theirs.urls, responseFrom)
      expect(theirs).toMatchObject(refusal === undefined ? { status: 200 } : { body: { error: { message: refusal } } })
      expect(yield* Effect.flatMap(ours, responseFrom)).toEqual(theirs)
    }).pipe(Effect.provide(emulatorOnPort()))
  })
})
