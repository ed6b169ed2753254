import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { ArtaApi, ArtaError, Auth, GenerateRequest, Generation } from "effect-arta"
import { countingAuth } from "../support/countingAuth.js"
import { runToEnd } from "../support/withEmulator.js"
import type { Step } from "../support/scriptedClient.js"
import { scriptedClient } from "../support/scriptedClient.js"

const request = new GenerateRequest.GenerateRequest({
  prompt: "a cat & a hat",
  model: "F Dev",
  n: 2,
  aspectRatio: "16:9",
  seed: 12_345
})
const recordId = Generation.RecordId.make("rec/1")

const withApi = (
  steps: ReadonlyArray<Step>,
  test: (api: ArtaApi.Service, http: ReturnType<typeof scriptedClient>) => Effect.Effect<void, unknown>,
  { apiUrl = "https://arta.test/api/v1//", auth = countingAuth } = {}
) => {
  const http = scriptedClient({ text2image: steps })
  return Effect.flatMap(ArtaApi.ArtaApi, (api) => test(api, http)).pipe(
    Effect.provide(ArtaApi.layer({ apiUrl }).pipe(Layer.provide(auth), Layer.provide(http.layer)))
  )
}

describe("ArtaApi.submit", () => {
  it.effect("sends the form of PROTOCOL.md", () =>
    withApi([{ body: { record_id: "rec-1", more: true } }], (api, { seen }) =>
      Effect.gen(function* () {
        expect(yield* api.submit(request)).toBe("rec-1")
        expect(seen).toHaveLength(1)
        expect(seen[0]).toMatchObject({ method: "POST", url: "https://arta.test/api/v1/text2image" })
        expect(seen[0]?.headers["authorization"]).toBe("token-1")
        expect(seen[0]?.headers["content-type"]).toContain("application/x-www-form-urlencoded")
        expect(Object.fromEntries(new URLSearchParams(seen[0]?.body))).toEqual({
          prompt: "a cat & a hat",
          negative_prompt: "blurry, deformed hands, ugly",
          style: "F Dev",
          images_num: "2",
          cfg_scale: "7",
          steps: "30",
          aspect_ratio: "16:9",
          seed: "12345"
        })
      })
    )
  )

  it.effect.each([" rec-1 ", 123])("accepts the record id %j", (record_id) =>
    withApi([{ body: { record_id } }], (api) =>
      Effect.gen(function* () {
        expect(yield* api.submit(request)).toBe(String(record_id).trim())
      })
    )
  )

  it.effect("refreshes the token on 401 and repeats the request once", () =>
    withApi([{ status: 401 }, { body: { record_id: "rec-1" } }], (api, { seen }) =>
      Effect.gen(function* () {
        expect(yield* api.submit(request)).toBe("rec-1")
        expect(seen.map(({ headers }) => headers["authorization"])).toEqual(["token-1", "token-2"])
        expect(seen[0]?.body).toBe(seen[1]?.body)
      })
    )
  )

  // fault: Sessions | 401 again for the renewed token | `UnauthorizedError`
  it.effect("fails when the refreshed token is refused too", () =>
    withApi([{ status: 401, body: { detail: "no" } }], (api, { seen }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(api.submit(request))
        expect(error).toMatchObject({ _tag: "UnauthorizedError", operation: "submit" })
        expect(seen).toHaveLength(2)
      })
    )
  )

  // fault: Submit | The service refuses the request | `ResponseError` with the detail
  it.effect.each<[string, Step, object]>([
    ["a FastAPI string", { status: 400, body: { detail: "prompt is banned" } }, { detail: "prompt is banned" }],
    [
      "FastAPI issues",
      {
        status: 422,
        body: {
          detail: [
            { loc: ["body", "steps"], msg: "too many", type: "t" },
            { loc: ["x", 1], msg: "y" }
          ]
        }
      },
      { detail: "body.steps: too many; x.1: y" }
    ],
    ["a plain-text body", { status: 403, body: "  Access\n denied " }, { detail: "Access denied" }],
    ["nothing", { status: 404, body: "" }, { detail: "no reason given" }],
    ["a Retry-After on a status that ignores it", { status: 403, headers: { "retry-after": "30" } }, { status: 403 }],
    ["an empty record id", { body: { record_id: "", detail: "out of credits" } }, { detail: "out of credits" }],
    ["no record id", { status: 200, body: { detail: "queue is full" } }, { status: 200, detail: "queue is full" }],
    ["the token", { status: 403, body: { detail: "bad token-1" } }, { detail: "bad <redacted>" }]
  ])("reports the reason for a refusal: %s", ([, step, expected]) =>
    withApi([step], (api, { seen }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(api.submit(request))
        expect(error).toMatchObject({ _tag: "ResponseError", operation: "submit", ...expected })
        expect(seen).toHaveLength(1)
      })
    )
  )

  it.effect("redacts every token that the service repeats", () =>
    withApi([{ status: 401 }, { status: 403, body: { detail: "neither token-1 nor token-2" } }], (api) =>
      Effect.map(Effect.flip(api.submit(request)), (error) => {
        expect(error).toMatchObject({ _tag: "ResponseError", detail: "neither <redacted> nor <redacted>" })
      })
    )
  )

  it.effect("passes on the error of Auth when there is no token", () => {
    const failing = Effect.fail(new ArtaError.TransportError({ operation: "refresh", reason: "a reset", sent: true }))
    const auth = Layer.succeed(Auth.Auth, { token: failing, renew: () => failing, signOut: Effect.void })
    const test = (api: ArtaApi.Service, { seen }: ReturnType<typeof scriptedClient>) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(api.submit(request))).toMatchObject({ _tag: "TransportError", operation: "refresh" })
        expect(seen).toEqual([])
      })
    return withApi([], test, { auth })
  })

  // fault: Submit | Silence, 5xx, a redirect or an unreadable response | `SubmissionUnknownError`, one POST
  it.effect.each<[string, Step]>([
    ["a reset", { code: "ECONNRESET" }],
    ["a route lost after the body went out", { code: "EHOSTUNREACH", syscall: "read" }],
    ["silence", "silence"],
    ["500", { status: 500 }],
    ["502", { status: 502, body: "<html>Bad gateway</html>" }],
    ["503", { status: 503 }],
    ["504", { status: 504 }],
    ["an unreadable response", { body: '{"record_i' }],
    ["a redirect that has a record id", { status: 300, body: { record_id: "rec-1" } }],
    ["a redirect to look for the result", { status: 303, headers: { location: "/result" } }],
    ["a permanent redirect", { status: 308, headers: { location: "/v2" } }]
  ])("never resends a lost submission: %s", ([, step]) =>
    withApi([step], (api, { seen }) =>
      Effect.gen(function* () {
        const error = yield* runToEnd(Effect.flip(api.submit(request)))
        const reason: unknown = expect.stringMatching(/./)
        expect(error).toMatchObject({ _tag: "SubmissionUnknownError", request: { seed: 12_345 }, reason })
        expect(seen).toHaveLength(1)
      })
    )
  )

  // fault: Submit | The connection is refused, or the name is not found | a short wait
  it.effect.each(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"])("retries after %s, when nothing was sent", (code) =>
    withApi([{ code }, { code }, { body: { record_id: "rec-1" } }], (api, { seen }) =>
      Effect.gen(function* () {
        expect(yield* runToEnd(api.submit(request))).toBe("rec-1")
        expect(seen).toHaveLength(3)
      })
    )
  )

  it.effect.each<[number, string, string]>([
    [4, "on an unreachable host", "ECONNREFUSED"],
    [1, "if another one cannot help", "CERT_HAS_EXPIRED"]
  ])("gives up after attempt %i %s", ([attempts, , code]) =>
    withApi([{ code }], (api, { seen }) =>
      Effect.gen(function* () {
        const error = yield* runToEnd(Effect.flip(api.submit(request)))
        expect(error).toMatchObject({ _tag: "TransportError", operation: "submit", sent: false })
        expect(seen).toHaveLength(attempts)
      })
    )
  )

  // fault: Submit | Retry-After as a date, in the past, malformed or missing | `RateLimitedError` with the wait, if it is known
  it.effect.each<[string, Record<string, string>, number, number | undefined]>([
    ["seconds", { "retry-after": "30" }, 429, 30_000],
    ["seconds in two headers", { "retry-after": "20, 30" }, 429, 30_000],
    ["a date", { "retry-after": new Date(90_000).toUTCString() }, 429, 90_000],
    ["a date in ISO 8601", { "retry-after": new Date(90_000).toISOString() }, 429, 90_000],
    [
      "a date of a service two hours ahead",
      { "retry-after": new Date(7_230_000).toUTCString(), date: new Date(7_200_000).toUTCString() },
      429,
      30_000
    ],
    ["the past", { "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" }, 429, undefined],
    ["garbage", { "retry-after": "soon" }, 429, undefined],
    ["garbage with a number", { "retry-after": "in 45" }, 429, undefined],
    ["a negative number", { "retry-after": "-40" }, 429, undefined],
    ["infinity", { "retry-after": "Infinity" }, 429, undefined],
    ["nothing", {}, 429, undefined],
    ["fractions of seconds", { "retry-after": "45.5" }, 429, 45_500],
    ["fractions of seconds in two headers", { "retry-after": "2, 3.7" }, 429, 3_700],
    ["seconds with a parameter", { "retry-after": "45;q=1" }, 429, 45_000],
    ["seconds, as 503", { "retry-after": "5" }, 503, 5_000]
  ])("fails with RateLimitedError for a Retry-After of %s", ([, headers, status, millis]) =>
    withApi([{ status, headers }], (api, { seen }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(api.submit(request))
        expect(error).toMatchObject({ _tag: "RateLimitedError", operation: "submit" })
        const wait = error._tag === "RateLimitedError" ? error.retryAfter : undefined
        expect(wait === undefined ? undefined : Duration.toMillis(wait)).toBe(millis)
        expect(seen).toHaveLength(1)
      })
    )
  )
})

describe("ArtaApi.status", () => {
  it.effect("sends the status request of PROTOCOL.md", () =>
    withApi([{ body: { record_id: "rec/1", status: "IN_QUEUE", response: [] } }], (api, { seen }) =>
      Effect.gen(function* () {
        yield* api.status(recordId)
        expect(seen[0]).toMatchObject({ method: "GET", url: "https://arta.test/api/v1/text2image/rec%2F1/status" })
        expect(seen[0]?.headers["authorization"]).toBe("token-1")
      })
    )
  )

  // fault: Poll | An unknown status | `GenerationFailedError` with its name
  // fault: Download | An http image address from an https API | the image, over https
  it.effect.each<[object, Generation.GenerationStatus]>([
    [{ status: "IN_QUEUE", response: [], detail: null }, { _tag: "Queued" }],
    [{ status: "IN_PROGRESS", response: null }, { _tag: "InProgress" }],
    [{ status: "IN_PROGRESS", more: 1 }, { _tag: "InProgress" }],
    [
      { status: "DONE", response: [{ url: "https://a/1", seed: 1 }, { url: "https://a/2" }] },
      {
        _tag: "Done",
        images: [
          { index: 0, url: "https://a/1" },
          { index: 1, url: "https://a/2" }
        ]
      }
    ],
    [
      { status: "FAILED", response: [], detail: "NSFW" },
      { _tag: "Failed", status: "FAILED", detail: "NSFW" }
    ],
    [
      { status: "FAILED", detail: `bad token-1\n${"x".repeat(2_000)}` },
      { _tag: "Failed", status: "FAILED", detail: `bad <redacted> ${"x".repeat(485)}…` }
    ],
    [
      { status: "FAILED", detail: { code: 7 } },
      { _tag: "Failed", status: "FAILED", detail: '{"code":7}' }
    ],
    [
      {
        status: "DONE",
        response: [{ url: "http://a/0" }, { url: null }, { url: "https://a/2" }, { url: "file:///etc/passwd" }]
      },
      {
        _tag: "Done",
        images: [
          { index: 0, url: "https://a/0" },
          { index: 2, url: "https://a/2" }
        ],
        missing: 2
      }
    ],
    [{ status: "EXPIRED" }, { _tag: "Failed", status: "EXPIRED", detail: "" }],
    [
      { status: "DONE", response: [] },
      { _tag: "Failed", status: "DONE", detail: "the response contains no image" }
    ]
  ])("reads %j", ([body, status]) =>
    withApi([{ body }], (api) =>
      Effect.map(api.status(recordId), (found) => {
        expect(found).toEqual(status)
      })
    )
  )

  it.effect("keeps http image URLs if the API uses http", () =>
    withApi(
      [{ body: { status: "DONE", response: [{ url: "http://a/0" }] } }],
      (api) =>
        Effect.map(api.status(recordId), (found) => {
          expect(found).toEqual({ _tag: "Done", images: [{ index: 0, url: "http://a/0" }] })
        }),
      { apiUrl: "http://localhost:8080/api/v1" }
    )
  )

  it.effect("refreshes the token on 401", () =>
    withApi([{ status: 401 }, { body: { status: "IN_QUEUE" } }], (api, { seen }) =>
      Effect.gen(function* () {
        expect(yield* api.status(recordId)).toEqual({ _tag: "Queued" })
        expect(seen.map(({ headers }) => headers["authorization"])).toEqual(["token-1", "token-2"])
      })
    )
  )

  it.effect.each<[string, Step, object]>([
    ["an unreadable response", { body: "<p>" }, { _tag: "ResponseError", detail: "an unreadable response: <p>" }],
    [
      "a refusal",
      { status: 404, body: { detail: "no such record" } },
      { _tag: "ResponseError", detail: "no such record" }
    ],
    ["a rate limit", { status: 429 }, { _tag: "RateLimitedError" }],
    ["a busy service", { status: 503, headers: { "retry-after": "3" } }, { _tag: "RateLimitedError" }],
    ["a reset", { code: "ECONNRESET" }, { _tag: "TransportError", sent: true }],
    ["silence", "silence", { _tag: "TransportError", sent: true }]
  ])("fails without a retry on %s", ([, step, expected]) =>
    withApi([step], (api, { seen }) =>
      Effect.gen(function* () {
        expect(yield* runToEnd(Effect.flip(api.status(recordId)))).toMatchObject({ operation: "status", ...expected })
        expect(seen).toHaveLength(1)
      })
    )
  )
})
