import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, TestClock } from "effect"
import { Arta } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { decode } from "fast-png"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { smallImage } from "../support/withEmulator.js"

interface JsonResponse {
  readonly status: number
  readonly json: unknown
}

const send = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<JsonResponse, unknown, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const response = yield* client.execute(request)
    return { status: response.status, json: yield* response.json }
  })

const signUp = (key: string, path = "/identitytoolkit/v3/relyingparty/signupNewUser") =>
  send(
    HttpClientRequest.post(`https://id.test${path}?key=${key}`).pipe(
      HttpClientRequest.bodyUnsafeJson({ clientType: "CLIENT_TYPE_ANDROID" })
    )
  )

const refresh = (key: string, form: Record<string, string>) =>
  send(HttpClientRequest.post(`https://token.test/v1/token?key=${key}`).pipe(HttpClientRequest.bodyUrlParams(form)))

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

const submit = (authorization: string, body: Record<string, string> = form) =>
  send(
    HttpClientRequest.post("https://arta.test/api/v1/text2image").pipe(
      HttpClientRequest.setHeaders({ authorization }),
      HttpClientRequest.bodyUrlParams(body)
    )
  )

const status = (authorization: string, id: string) =>
  send(
    HttpClientRequest.get(`https://arta.test/api/v1/text2image/${id}/status`).pipe(
      HttpClientRequest.setHeaders({ authorization })
    )
  )

const field = (response: JsonResponse, name: string): string => {
  const value = Object.entries(response.json ?? {}).find(([key]) => key === name)?.[1] as unknown
  return typeof value === "string" ? value : ""
}

const withEmulator = (options: ArtaEmulator.Options = {}) => Effect.provide(ArtaEmulator.layer(options))

describe("the emulator's identity services", () => {
  it.effect.each(["/identitytoolkit/v3/relyingparty/signupNewUser", "/v1/accounts:signUp"])(
    "sign up at %s, every value a string",
    (path) =>
      Effect.gen(function* () {
        const response = yield* signUp("k", path)
        expect(response).toMatchObject({ status: 200, json: { expiresIn: "600" } })
        for (const name of ["kind", "localId", "idToken", "refreshToken"]) expect(field(response, name)).not.toBe("")
      }).pipe(withEmulator({ tokenLife: "10 minutes" }))
  )

  it.effect("refuse a missing and a wrong API key like the real services", () =>
    Effect.gen(function* () {
      expect(yield* signUp("")).toMatchObject({
        status: 403,
        json: { error: { code: 403, message: "The request is missing a valid API key." } }
      })
      expect(yield* signUp("bad")).toMatchObject({
        status: 400,
        json: { error: { code: 400, message: "API key not valid. Please pass a valid API key." } }
      })
      expect(yield* signUp("good")).toMatchObject({ status: 200 })
    }).pipe(withEmulator({ apiKeys: ["good"] }))
  )

  it.effect("refresh in snake case, and rotate the refresh token if configured", () =>
    Effect.gen(function* () {
      const refreshToken = field(yield* signUp("k"), "refreshToken")
      const response = yield* refresh("k", { grant_type: "refresh_token", refresh_token: refreshToken })
      expect(response).toMatchObject({ status: 200, json: { expires_in: "3600", token_type: "Bearer" } })
      expect(field(response, "id_token")).toBe(field(response, "access_token"))
      expect(field(response, "refresh_token")).not.toBe(refreshToken)
      expect(yield* refresh("k", { grant_type: "refresh_token", refresh_token: refreshToken })).toMatchObject({
        status: 400,
        json: { error: { message: "INVALID_REFRESH_TOKEN" } }
      })
    }).pipe(withEmulator({ rotateRefreshTokens: true }))
  )

  it.effect("explain why a refresh fails", () =>
    Effect.gen(function* () {
      const refreshToken = field(yield* signUp("k"), "refreshToken")
      const codeOf = (key: string, body: Record<string, string>) =>
        Effect.map(refresh(key, body), ({ json }) => JSON.stringify(json))
      expect(yield* codeOf("k", {})).toContain("MISSING_GRANT_TYPE")
      expect(yield* codeOf("k", { grant_type: "password" })).toContain("INVALID_GRANT_TYPE")
      expect(yield* codeOf("k", { grant_type: "refresh_token" })).toContain("MISSING_REFRESH_TOKEN")
      expect(yield* codeOf("k", { grant_type: "refresh_token", refresh_token: "x" })).toContain("INVALID_REFRESH_TOKEN")
      expect(yield* codeOf("other", { grant_type: "refresh_token", refresh_token: refreshToken })).toContain(
        "PROJECT_NUMBER_MISMATCH"
      )
    }).pipe(withEmulator())
  )
})

describe("the emulator's image service", () => {
  it.effect("moves a generation through its stages", () =>
    Effect.gen(function* () {
      const idToken = field(yield* signUp("k"), "idToken")
      const id = field(yield* submit(idToken), "record_id")
      expect(yield* status(idToken, id)).toMatchObject({ json: { record_id: id, status: "IN_QUEUE", response: [] } })
      yield* TestClock.adjust("5 seconds")
      expect(yield* status(idToken, id)).toMatchObject({ json: { status: "IN_PROGRESS" } })
      yield* TestClock.adjust("20 seconds")
      expect(yield* status(idToken, id)).toMatchObject({
        json: {
          status: "DONE",
          response: [{ url: `https://arta.test/images/${id}/0.png` }, { url: /1\.png$/ as never }]
        }
      })
    }).pipe(withEmulator({ queueTime: "5 seconds", drawTime: "20 seconds" }))
  )

  it.effect("accepts only valid tokens that it issued", () =>
    Effect.gen(function* () {
      const idToken = field(yield* signUp("k"), "idToken")
      expect(yield* submit(`Bearer ${idToken}`)).toMatchObject({
        status: 401,
        json: { detail: "Invalid or expired token" }
      })
      expect(yield* submit(idToken)).toMatchObject({ status: 200 })
      yield* TestClock.adjust("10 minutes")
      expect(yield* submit(idToken)).toMatchObject({ status: 401 })
    }).pipe(withEmulator({ tokenLife: "10 minutes" }))
  )

  it.effect("responds like FastAPI", () =>
    Effect.gen(function* () {
      const idToken = field(yield* signUp("k"), "idToken")
      expect(yield* submit(idToken, { ...form, steps: "many" })).toMatchObject({
        status: 422,
        json: { detail: [{ loc: ["body", "steps"] }] }
      })
      for (const wrong of [{ aspect_ratio: "0:0" }, { images_num: "-1" }, { prompt: " " }, { style: "Nope" }]) {
        expect(yield* submit(idToken, { ...form, ...wrong })).toMatchObject({ status: 422 })
      }
      expect(yield* submit(idToken, {})).toMatchObject({ status: 422 })
      expect(yield* status(idToken, "unknown")).toMatchObject({ status: 404, json: { detail: "Record not found" } })
      expect(yield* send(HttpClientRequest.get("https://arta.test/elsewhere"))).toMatchObject({ status: 404 })
    }).pipe(withEmulator())
  )
})

// Draws many images.
describe("the emulator's images", { timeout: 60_000 }, () => {
  const image = (options: Parameters<typeof Arta.run>[0], index = 0) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Arta.run(options))
      yield* TestClock.adjust("1 minute")
      const generation = yield* Fiber.join(fiber)
      const client = yield* HttpClient.HttpClient
      const response = yield* client.get(generation.images[index]?.url ?? "")
      expect(response.headers["content-type"]).toBe("image/png")
      return decode(new Uint8Array(yield* response.arrayBuffer))
    })

  const cat = { prompt: "a cat", model: "Flux", seed: 1, n: 2 }

  const sizeOf = (aspectRatio: string) =>
    Effect.map(image({ ...cat, aspectRatio }), ({ height, width }) => [width, height])

  it.effect("have 512 pixels on the long side, in the requested aspect ratio", () =>
    Effect.gen(function* () {
      expect((yield* Effect.forEach(["1:1", "16:9", "1:1000"], sizeOf)).join(" ")).toBe("512,512 512,288 1,512")
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  it.effect("are as large as imageSize says", () =>
    Effect.gen(function* () {
      expect(yield* sizeOf("16:9")).toEqual([32, 18])
    }).pipe(Effect.provide(ArtaEmulator.layerArta({ imageSize: 32 })))
  )

  it.effect("are identical for identical requests, and differ in most pixels otherwise", () =>
    Effect.gen(function* () {
      const first = yield* image(cat)
      const same = yield* image(cat)
      expect(Buffer.compare(Buffer.from(same.data), Buffer.from(first.data))).toBe(0)
      const others = yield* Effect.all([
        image({ ...cat, prompt: "a dog" }),
        image({ ...cat, model: "Anime" }),
        image({ ...cat, seed: 2 }),
        image(cat, 1)
      ])
      for (const other of others) {
        const different = first.data.filter((value, at) => Math.abs(value - (other.data[at] ?? 0)) > 8).length
        expect(different / first.data.length).toBeGreaterThan(0.5)
      }
    }).pipe(Effect.provide(ArtaEmulator.layerArta()))
  )

  it.effect("return a 404 page for an unknown image", () =>
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const response = yield* client.get("https://arta.test/images/unknown/0.png")
      expect(response.status).toBe(404)
      expect(yield* response.text).toContain("404")
    }).pipe(withEmulator())
  )
})

describe("the emulator's faults and counters", () => {
  it.effect("apply to the next request of their operation, in order", () =>
    Effect.gen(function* () {
      expect(yield* signUp("k")).toMatchObject({ status: 503 })
      expect(yield* signUp("k")).toMatchObject({ status: 400, json: { error: { message: "QUOTA_EXCEEDED" } } })
      const idToken = field(yield* signUp("k"), "idToken")
      expect(yield* submit(idToken)).toMatchObject({ status: 429 })
      expect(yield* submit(idToken)).toMatchObject({ status: 200 })
    }).pipe(
      withEmulator({
        faults: [
          Fault.respond("submit", 429, { body: { detail: "slow down" }, headers: { "retry-after": "5" } }),
          Fault.respond("signUp", 503, { body: {} }),
          Fault.identityError("signUp", "QUOTA_EXCEEDED")
        ]
      })
    )
  )

  it.effect("drop a connection before or after the request is processed", () =>
    Effect.gen(function* () {
      const idToken = field(yield* signUp("k"), "idToken")
      const emulator = yield* ArtaEmulator.ArtaEmulator
      yield* emulator.inject(Fault.drop("submit"))
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      expect(yield* Effect.flip(submit(idToken))).toMatchObject({ _tag: "RequestError", reason: "Transport" })
      expect(yield* Effect.flip(submit(idToken))).toMatchObject({ _tag: "RequestError", reason: "Transport" })
      expect(yield* emulator.counts).toEqual({ signUp: 1, refresh: 0, submit: 2, status: 0, image: 0 })
    }).pipe(withEmulator())
  )

  it.effect("record every request with its time", () =>
    Effect.gen(function* () {
      yield* signUp("k")
      yield* TestClock.adjust("5 seconds")
      yield* Effect.ignore(submit("nobody"))
      const emulator = yield* ArtaEmulator.ArtaEmulator
      expect(yield* emulator.requests).toEqual([
        { operation: "signUp", at: 0 },
        { operation: "submit", at: 5_000 }
      ])
    }).pipe(withEmulator())
  )
})

describe("the emulator on a port", () => {
  const layer = emulatorOnPort({ queueTime: "10 millis", drawTime: "10 millis" })

  it.live("drops and holds connections like a real server", () =>
    Effect.gen(function* () {
      const emulator = yield* ArtaEmulator.ArtaEmulator
      const { signUpUrl } = yield* ArtaEmulator.urls
      const post = Effect.tryPromise({
        try: (signal) => fetch(`${signUpUrl}?key=k`, { method: "POST", signal }).then((response) => response.text()),
        catch: () => "lost" as const
      })
      yield* emulator.inject(Fault.drop("signUp"))
      yield* emulator.inject(Fault.hang("signUp"))
      expect(yield* Effect.flip(post)).toBe("lost")
      expect(yield* Effect.timeoutOption(post, "200 millis")).toMatchObject({ _tag: "None" })
      expect(yield* post).toContain("idToken")
    }).pipe(Effect.provide(layer))
  )

  it.live("returns image URLs on its own port", () =>
    Effect.gen(function* () {
      const urls = yield* ArtaEmulator.urls
      yield* Effect.promise(async () => {
        const account = (await (await fetch(`${urls.signUpUrl}?key=k`, { method: "POST" })).json()) as {
          idToken: string
        }
        const headers = { authorization: account.idToken }
        const body = new URLSearchParams(form)
        const submitted = await fetch(`${urls.apiUrl}/text2image`, { method: "POST", headers, body })
        const { record_id: id } = (await submitted.json()) as { record_id: string }
        await new Promise((resolve) => setTimeout(resolve, 50))
        const status = await fetch(`${urls.apiUrl}/text2image/${id}/status`, { headers })
        const { response } = (await status.json()) as { response: ReadonlyArray<{ url: string }> }
        const bytes = await (await fetch(response[0]?.url ?? "")).arrayBuffer()
        expect(decode(new Uint8Array(bytes)).width).toBe(smallImage)
      })
    }).pipe(Effect.provide(layer))
  )
})

describe("ArtaEmulator.layerArta", () => {
  it.effect("uses the first accepted API key", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Arta.run({ prompt: "cat" }))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(Layer.fresh(ArtaEmulator.layerArta({ apiKeys: ["good"] }))))
  )
})
