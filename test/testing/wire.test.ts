import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema, TestClock } from "effect"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { decode } from "fast-png"
import { createHash } from "node:crypto"

const withEmulator = (options: ArtaEmulator.Options = {}) => Effect.provide(ArtaEmulator.layer(options))

/** Sends a request. `body` is the JSON of the response, or its text. */
const send = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.gen(function* () {
    const response = yield* HttpClient.execute(request)
    const text = yield* response.text
    const isJson = response.headers["content-type"] === "application/json"
    return { status: response.status, headers: response.headers, body: isJson ? (JSON.parse(text) as unknown) : text }
  })

const post = (url: string, form: Readonly<Record<string, string>>, authorization = "") =>
  send(
    HttpClientRequest.post(url).pipe(
      HttpClientRequest.bodyUrlParams(form),
      HttpClientRequest.setHeaders({ authorization })
    )
  )

const get = (url: string, authorization = "") =>
  send(HttpClientRequest.get(url).pipe(HttpClientRequest.setHeaders({ authorization })))

const SignedUp = Schema.Struct({
  kind: Schema.Literal("identitytoolkit#SignupNewUserResponse"),
  localId: Schema.String.pipe(Schema.pattern(/^account-[0-9a-f]{24}$/)),
  idToken: Schema.String.pipe(Schema.pattern(/^id-token-[0-9a-f]{24}$/)),
  refreshToken: Schema.String.pipe(Schema.pattern(/^refresh-token-[0-9a-f]{24}$/)),
  expiresIn: Schema.Literal("3600")
})

const signUp = (key = "k") =>
  Effect.flatMap(post(`https://id.test/v1/accounts:signUp?key=${key}`, {}), ({ body }) =>
    Schema.decodeUnknown(SignedUp, { onExcessProperty: "error" })(body)
  )

const refresh = (refresh_token: string) =>
  post("https://token.test/v1/token?key=k", { grant_type: "refresh_token", refresh_token })

const form = {
  prompt: "cat",
  negative_prompt: "",
  style: "Flux",
  images_num: "2",
  cfg_scale: "7",
  steps: "30",
  aspect_ratio: "16:9",
  seed: "1"
}

const submit = (token: string, changes: Readonly<Record<string, string>> = {}) =>
  post("https://arta.test/api/v1/text2image", { ...form, ...changes }, token)

const Submitted = Schema.Struct({
  record_id: Schema.String.pipe(Schema.pattern(/^record-[0-9a-f]{24}$/)),
  status: Schema.Literal("IN_QUEUE"),
  response: Schema.Tuple(),
  detail: Schema.Null
})

const submitted = (token: string, changes?: Readonly<Record<string, string>>) =>
  Effect.flatMap(submit(token, changes), ({ body }) => Schema.decodeUnknown(Submitted)(body))

const status = (token: string, id: string) => get(`https://arta.test/api/v1/text2image/${id}/status`, token)

describe("the emulator's responses", () => {
  it.effect("name an error of the identity services, its reason, and its domain", () =>
    Effect.gen(function* () {
      const missing = "The request is missing a valid API key."
      const withoutKey = yield* post("https://id.test/v1/accounts:signUp", {})
      expect(withoutKey).toMatchObject({
        status: 403,
        body: {
          error: {
            code: 403,
            message: missing,
            errors: [{ message: missing, reason: "forbidden", domain: "global" }],
            status: "PERMISSION_DENIED"
          }
        }
      })
      expect((yield* refresh("unknown")).body).toEqual({
        error: {
          code: 400,
          message: "INVALID_REFRESH_TOKEN",
          errors: [{ message: "INVALID_REFRESH_TOKEN", reason: "invalid", domain: "global" }]
        }
      })
    }).pipe(withEmulator())
  )

  it.effect("keep the refresh token and the account by default", () =>
    Effect.gen(function* () {
      const { idToken, localId, refreshToken } = yield* signUp()
      const first = yield* refresh(refreshToken)
      expect(first).toMatchObject({
        status: 200,
        body: { refresh_token: refreshToken, user_id: localId, project_id: "1", expires_in: "3600" }
      })
      expect(yield* refresh(refreshToken)).toMatchObject({ status: 200, body: { user_id: localId } })
      expect(first.body).not.toMatchObject({ id_token: idToken })
      const { counts } = yield* ArtaEmulator.ArtaEmulator
      expect(yield* counts).toEqual({ signUp: 1, refresh: 2, submit: 0, status: 0, image: 0 })
    }).pipe(withEmulator())
  )

  it.effect("list each invalid field of a submission, as FastAPI does", () =>
    Effect.gen(function* () {
      const { idToken } = yield* signUp()
      const { body, status } = yield* submit(idToken, { prompt: " ", steps: "0" })
      expect(status).toBe(422)
      expect(body).toMatchObject({
        detail: [
          { loc: ["body", "prompt"], msg: "ensure this value is not blank", type: "value_error" },
          { loc: ["body", "steps"], type: "value_error" }
        ]
      })
    }).pipe(withEmulator())
  )

  it.effect("follow a generation from the queue to its images", () =>
    Effect.gen(function* () {
      const { idToken } = yield* signUp()
      const { record_id } = yield* submitted(idToken)
      const pending = { record_id, response: [], detail: null }
      expect((yield* status(idToken, record_id)).body).toEqual({ ...pending, status: "IN_QUEUE" })
      yield* TestClock.adjust("1 second")
      expect((yield* status(idToken, record_id)).body).toEqual({ ...pending, status: "IN_PROGRESS" })
      yield* TestClock.adjust("2 seconds")
      const urls = ["0.png", "1.png"].map((file) => `https://arta.test/images/${record_id}/${file}`)
      expect((yield* status(idToken, record_id)).body).toEqual({
        record_id,
        status: "DONE",
        response: urls.map((url) => ({ url })),
        detail: null
      })
      const imageStatus = (url = "") => Effect.map(get(url), ({ status }) => status)
      expect(yield* Effect.forEach([...urls, urls[0]?.replace("0.png", "2.png")], imageStatus)).toEqual([200, 200, 404])
    }).pipe(withEmulator())
  )

  it.effect("refuse expired tokens, and explain that a path is unknown", () =>
    Effect.gen(function* () {
      const { idToken } = yield* signUp()
      const emulator = yield* ArtaEmulator.ArtaEmulator
      yield* emulator.expireTokens
      const refused = { status: 401, body: { detail: "Invalid or expired token" } }
      expect(yield* submit(idToken)).toMatchObject(refused)
      expect(yield* status("", "unknown")).toMatchObject(refused)
      expect(yield* get("https://arta.test/api/v2")).toMatchObject({ status: 404, body: { detail: "Not Found" } })
    }).pipe(withEmulator())
  )
})

describe("the emulator's faults", () => {
  it.effect("respond with an empty page by default, and with JSON or a page and headers on request", () =>
    Effect.gen(function* () {
      const { idToken } = yield* signUp()
      const first = yield* status(idToken, "any")
      expect(first).toMatchObject({ status: 502, body: "" })
      expect(first.headers).not.toHaveProperty("retry-after")
      expect(yield* status(idToken, "any")).toMatchObject({
        status: 503,
        headers: { "content-type": "text/html", "retry-after": "5" },
        body: "<h1>Closed</h1>"
      })
      expect(yield* status(idToken, "any")).toMatchObject({ status: 500, body: { detail: "boom" } })
      expect(yield* status(idToken, "any")).toMatchObject({ status: 404, body: { detail: "Record not found" } })
    }).pipe(
      withEmulator({
        faults: [
          Fault.respond("status", 502),
          Fault.respond("status", 503, { body: "<h1>Closed</h1>", headers: { "retry-after": "5" } }),
          Fault.respond("status", 500, { body: { detail: "boom" } })
        ]
      })
    )
  )

  it.effect("are errors of the identity services, with a status", () =>
    Effect.gen(function* () {
      const error = (code: number, message: string) => ({
        error: { code, message, errors: [{ message, reason: "invalid", domain: "global" }] }
      })
      const key = "https://id.test/v1/accounts:signUp?key=k"
      expect(yield* post(key, {})).toMatchObject({ status: 400, body: error(400, "USER_DISABLED") })
      expect(yield* post(key, {})).toMatchObject({ status: 503, body: error(503, "UNAVAILABLE") })
    }).pipe(
      withEmulator({
        faults: [Fault.identityError("signUp", "USER_DISABLED"), Fault.identityError("signUp", "UNAVAILABLE", 503)]
      })
    )
  )

  it.effect("end one generation without images, with or without a reason", () =>
    Effect.gen(function* () {
      const { idToken } = yield* signUp()
      const records = yield* Effect.forEach([1, 2, 3], () => submitted(idToken))
      yield* TestClock.adjust("3 seconds")
      const bodies = yield* Effect.forEach(records, ({ record_id }) =>
        Effect.map(status(idToken, record_id), ({ body }) => body)
      )
      expect(bodies).toMatchObject([
        { status: "FAILED", response: [], detail: "" },
        { status: "BLOCKED", response: [], detail: "NSFW content" },
        { status: "DONE", response: [{}, {}] }
      ])
    }).pipe(withEmulator({ faults: [Fault.failGeneration("FAILED"), Fault.failGeneration("BLOCKED", "NSFW content")] }))
  )
})

describe("the emulator's images", () => {
  const pixelsOf = (changes: Readonly<Record<string, string>>, file = "0.png") =>
    Effect.gen(function* () {
      const { idToken } = yield* signUp()
      const { record_id } = yield* submitted(idToken, changes)
      const response = yield* HttpClient.get(`https://arta.test/images/${record_id}/${file}`)
      const { data, height, width } = decode(new Uint8Array(yield* response.arrayBuffer))
      const hash = createHash("sha256").update(data).digest("hex").slice(0, 16)
      return [width, height, hash].join(" ")
    })

  // Programs compare the images of the emulator with those of earlier runs.
  it.effect.each<[string, Readonly<Record<string, string>>, string, string]>([
    ["a wide one", {}, "0.png", "96 54 2db1bc92eab74d62"],
    ["its second image", {}, "1.png", "96 54 ec6fc2ee6f1be194"],
    [
      "a tall one",
      { aspect_ratio: "2:3", prompt: "a lighthouse at dawn", seed: "4000000000" },
      "0.png",
      "64 96 cb0d10b4ae142101"
    ],
    ["a square one", { aspect_ratio: "1:1", style: "Anime", seed: "7" }, "0.png", "96 96 74cd457849f5ec75"]
  ])("are the same in every version: %s", ([, changes, file, pixels]) =>
    Effect.gen(function* () {
      expect(yield* pixelsOf(changes, file)).toBe(pixels)
    }).pipe(withEmulator({ imageSize: 96 }))
  )
})
