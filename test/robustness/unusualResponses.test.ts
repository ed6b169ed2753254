import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { type ArtaApi, GenerateRequest, Generation } from "effect-arta"
import type { RawResponse } from "../support/faultServer.js"
import { faultServer, head, respond } from "../support/faultServer.js"
import { apiAt, transports } from "../support/transports.js"

const submit = (api: ArtaApi.Service) => api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))
const status = (api: ArtaApi.Service) => api.status(Generation.RecordId.make("rec"))

const accepted = respond(200, { record_id: "rec" })
const queued = respond(200, { status: "IN_QUEUE" })

/** A response whose lines are written as they are here. */
const raw = (...lines: ReadonlyArray<string>): RawResponse => ({
  write: [[...lines, "content-length: 0", "", ""].join("\r\n")],
  then: "keep"
})

const informed = (response: RawResponse): RawResponse => ({
  ...response,
  write: [head(103, { link: "</style.css>; rel=preload" }), head(102), ...(response.write ?? [])]
})

const bytewise = (response: RawResponse): RawResponse => ({
  ...response,
  write: (response.write ?? []).flatMap((part) => Array.from(Buffer.from(part), (byte) => new Uint8Array([byte])))
})

describe.concurrent.each(transports)("With %s", (name, transport) => {
  // fault: Whatever a service sends | 102 and 103 before the response, or a response a byte at a time | nothing
  it.scopedLive.each<[string, (response: RawResponse) => RawResponse]>([
    ["after informational responses", informed],
    ["a byte at a time", bytewise],
    ["after informational responses, a byte at a time", (response) => bytewise(informed(response))]
  ])("reads a response %s", ([, vary]) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({
        "/text2image/rec/status": [vary(queued)],
        "/text2image": [vary(accepted)]
      })
      const api = yield* apiAt(transport, url)
      expect(yield* submit(api)).toBe("rec")
      expect(yield* status(api)).toEqual({ _tag: "Queued" })
      expect(requests).toHaveLength(2)
    })
  )

  // fault: Submit | The connection ends after an informational response | `SubmissionUnknownError`, one POST
  it.scopedLive.each(["close", "reset"] as const)("a %s after 103 leaves the submission unknown", (then) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/text2image": [{ write: [head(103)], then }] })
      const error = yield* Effect.flip(Effect.flatMap(apiAt(transport, url), submit))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(requests).toHaveLength(1)
    })
  )

  // fault: Submit | 204 or 205, which have no body | `SubmissionUnknownError`, one POST
  it.scopedLive.each([204, 205])("%d leaves the submission unknown, and is no status", (code) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({
        "/text2image": [{ write: [head(code, code === 205 ? { "content-length": 0 } : {})], then: "keep" }]
      })
      const api = yield* apiAt(transport, url)
      expect(yield* Effect.flip(submit(api))).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(requests).toHaveLength(1)
      expect(yield* Effect.flip(status(api))).toMatchObject({ _tag: "ResponseError", status: code })
    })
  )

  // fault: Submit | A redirect or 304 | not followed: `SubmissionUnknownError`, one POST
  it.scopedLive.each([301, 302, 303, 304, 307, 308])("does not follow %d", (code) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({
        "/elsewhere": [accepted],
        "/text2image": [raw(`HTTP/1.1 ${String(code)} Elsewhere`, "location: /elsewhere")]
      })
      const api = yield* apiAt(transport, url)
      expect(yield* Effect.flip(submit(api))).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(yield* Effect.flip(status(api))).toMatchObject({ _tag: "ResponseError", status: code })
      expect(requests.map((request) => request.split(" ")[1])).toEqual(["/text2image", "/text2image/rec/status"])
    })
  )

  // fault: Submit | Two Retry-After headers | `RateLimitedError` with the longer wait
  it.scopedLive("reads headers that come twice", () =>
    Effect.gen(function* () {
      const limited = raw(
        "HTTP/1.1 429 Too Many Requests",
        "set-cookie: a=1",
        "retry-after: 20",
        "set-cookie: b=2",
        "Retry-After: 30"
      )
      const { url } = yield* faultServer({ "/text2image": [limited] })
      const error = yield* Effect.flip(Effect.flatMap(apiAt(transport, url), submit))
      expect(error).toMatchObject({ _tag: "RateLimitedError", retryAfter: Duration.seconds(30) })
    })
  )

  // fault: Submit | 407 from a proxy that nobody configured | `TransportError` with `sent: false` and the reason, one POST
  // With fetch, the request fails, and the submission is unknown.
  it.scopedLive.skipIf(name === "fetch")("reads 407 as a proxy's", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/text2image": [respond(407, { detail: "who is k?" })] })
      const error = yield* Effect.flip(Effect.flatMap(apiAt(transport, url), submit))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "submit", sent: false })
      expect(error.message).toMatch(/the proxy asks for a user and a password .*check .* proxy: who is k\?$/)
      expect(requests).toHaveLength(1)
    })
  )
})
