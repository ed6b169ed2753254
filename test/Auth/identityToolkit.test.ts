import type { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, Redacted, TestClock } from "effect"
import type { ArtaError } from "effect-arta"
import { Auth, TokenStore } from "effect-arta"
import { runToEnd } from "../support/withEmulator.js"
import { stored, token } from "../support/session.js"
import type { Step } from "../support/scriptedClient.js"
import { scriptedClient } from "../support/scriptedClient.js"

describe("the requests and responses of sign-up and refresh", () => {
  const signedUp = { kind: "k", localId: "me", idToken: "id-1", refreshToken: "refresh-1", expiresIn: "3600" }
  const refreshed = { id_token: "id-2", access_token: "id-2", expires_in: "3600", token_type: "Bearer", user_id: "me" }

  const on = (http: Layer.Layer<HttpClient.HttpClient>, apiKey = "a key") =>
    Effect.provide(
      Auth.layer({ apiKey: Redacted.make(apiKey) }).pipe(
        Layer.provideMerge(TokenStore.layerMemory),
        Layer.provide(http)
      )
    )

  it.effect("sends the requests of PROTOCOL.md", () => {
    const http = scriptedClient({
      signupNewUser: [{ body: signedUp }],
      "securetoken.googleapis.com": [{ body: refreshed }]
    })
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

  // fault: Sessions | The response omits the refresh token | nothing
  it.effect("keeps the refresh token if the response omits it", () => {
    const http = scriptedClient({ signupNewUser: [{ body: signedUp }], "/v1/token": [{ body: refreshed }] })
    return Effect.gen(function* () {
      yield* token
      yield* TestClock.adjust("2 hours")
      yield* token
      expect(Option.map(yield* stored, ({ refreshToken }) => refreshToken)).toEqual(Option.some("refresh-1"))
    }).pipe(on(http.layer))
  })

  // fault: Sessions | `expiresIn` of "3600", 3600 or 1e300 | nothing
  it.effect.each<[unknown, number]>([
    ["3600", 3_600_000],
    [3600, 3_600_000],
    ["1e300", 1e303]
  ])("reads expiresIn %j", ([expiresIn, millis]) => {
    const http = scriptedClient({ signupNewUser: [{ body: { ...signedUp, expiresIn } }] })
    return Effect.gen(function* () {
      yield* token
      yield* token
      expect(http.seen).toHaveLength(1)
      expect(Option.map(yield* stored, (session) => Duration.toMillis(session.expiresIn))).toEqual(Option.some(millis))
    }).pipe(on(http.layer))
  })

  // fault: Sessions | `expiresIn` of "", "NaN" or a negative number | `TransportError`
  it.effect.each<[string, Step]>([
    ["an empty expiresIn", { body: { ...signedUp, expiresIn: "" } }],
    ["expiresIn NaN", { body: { ...signedUp, expiresIn: "NaN" } }],
    ["a negative expiresIn", { body: { ...signedUp, expiresIn: "-5" } }],
    ["no idToken", { body: { ...signedUp, idToken: undefined } }],
    ["an HTML page", { body: "<html>" }],
    ["an HTML page with 403", { status: 403, body: "<html>" }]
  ])("fails with TransportError on %s", ([, step]) => {
    const http = scriptedClient({ signupNewUser: [step] })
    return Effect.gen(function* () {
      const error = yield* runToEnd(Effect.flip(token))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "signUp", sent: true })
      expect(error.message).not.toContain("refresh-1")
    }).pipe(on(http.layer))
  })

  // fault: Sessions | A sign-up that fails in another format, or nests 200,000 levels | `TransportError` with what it says
  it.effect.each<[string, Step, string]>([
    [
      "a gateway's JSON",
      { status: 403, body: { message: "blocked a key\u001b[31m" } },
      "blocked <redacted>\\u001b[31m"
    ],
    [
      "the URL of the request",
      { status: 403, body: { message: "https://id.test/v1?key=a+key&alt=json is blocked" } },
      "https://id.test/v1?key=<redacted>&alt=json is blocked"
    ],
    ["a success that is none", { body: { error: "later" } }, "an unusable response (HTTP 200): later"],
    ["deep JSON", { status: 400, body: `{"error":${"[".repeat(200_000)}${"]".repeat(200_000)}}` }, "HTTP 400"],
    ["a deep success", { body: "[".repeat(200_000) + "]".repeat(200_000) }, "an unusable response (HTTP 200)"]
  ])("says what the service says: %s", ([, step, says]) => {
    const http = scriptedClient({ signupNewUser: [step] })
    return Effect.gen(function* () {
      const error = yield* runToEnd(Effect.flip(token))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "signUp" })
      expect(error.message).toContain(says)
    }).pipe(on(http.layer))
  })

  // fault: Sessions | The services refuse the API key in other words, or in another form | `AuthError` at once
  it.effect.each<[unknown, ArtaError.AuthReason]>([
    [{ error: { message: "API key has expired." } }, "API_KEY_EXPIRED"],
    [{ error: { message: "The API key expired. Renew it." } }, "API_KEY_EXPIRED"],
    [[{ error: { message: "API key not valid. Please pass a valid API key." } }], "API_KEY_INVALID"],
    [{ error: "API key not valid. Please pass a valid API key." }, "API_KEY_INVALID"],
    [{ error: { status: "INVALID_ARGUMENT", details: [{ reason: "API_KEY_INVALID" }] } }, "API_KEY_INVALID"],
    [{ error: { message: "", details: [{ reason: "API_KEY_EXPIRED" }] } }, "API_KEY_EXPIRED"]
  ])("names what is wrong with the key: %j", ([body, reason]) => {
    const http = scriptedClient({ signupNewUser: [{ status: 400, body }] })
    return Effect.gen(function* () {
      expect(yield* runToEnd(Effect.flip(token))).toMatchObject({ _tag: "AuthError", reason })
      expect(http.seen).toHaveLength(1)
    }).pipe(on(http.layer))
  })

  // fault: Sessions | A proxy asks for a user and a password | `TransportError` that says so, once
  it.effect("names the proxy that asks for a user and a password", () => {
    const http = scriptedClient({ signupNewUser: [{ status: 407, body: "<h1>Proxy</h1>" }] })
    return Effect.gen(function* () {
      const error = yield* runToEnd(Effect.flip(token))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "signUp", sent: false })
      expect(error.message).toContain("the proxy asks for a user and a password")
      expect(http.seen).toHaveLength(1)
    }).pipe(on(http.layer))
  })

  // fault: Sessions | A temporary failure whose text reads like the library's advice | a short wait
  it.effect("retries whatever the text of a failure says", () => {
    const message = "Backend Error: check the status page"
    const http = scriptedClient({ signupNewUser: [{ status: 503, body: { error: { message } } }, { body: signedUp }] })
    return Effect.gen(function* () {
      yield* runToEnd(token)
      expect(http.seen).toHaveLength(2)
    }).pipe(on(http.layer))
  })

  // fault: Sessions | A proxy asks for a user and a password, and a secret is part of the advice | `TransportError`, once
  it.effect("does not retry what cannot help, whatever the secrets are", () => {
    const http = scriptedClient({ signupNewUser: [{ status: 407, body: { detail: "no check" } }] })
    return Effect.gen(function* () {
      const error = yield* runToEnd(Effect.flip(token))
      expect(error.message).toContain("check the URL of the proxy: no <redacted>")
      expect(http.seen).toHaveLength(1)
    }).pipe(on(http.layer, "check"))
  })

  it.effect("shows no control characters in the account id", () => {
    const http = scriptedClient({ signupNewUser: [{ body: { ...signedUp, localId: "me\u001b[31m id-1" } }] })
    return Effect.gen(function* () {
      yield* token
      expect(Option.map(yield* stored, ({ localId }) => localId)).toEqual(Option.some("me\\u001b[31m <redacted>"))
    }).pipe(on(http.layer))
  })

  it.effect("reports that nothing was sent when the connection is refused", () => {
    const http = scriptedClient({ signupNewUser: [{ code: "ECONNREFUSED" }] })
    return Effect.gen(function* () {
      const error = yield* runToEnd(Effect.flip(token))
      expect(error).toMatchObject({ _tag: "TransportError", reason: "connection refused", sent: false })
    }).pipe(on(http.layer))
  })
})
