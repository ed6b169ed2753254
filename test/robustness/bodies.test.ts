import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type ArtaApi, GenerateRequest, Generation, ImageFile } from "effect-arta"
import { gzipSync } from "node:zlib"
import { endlessServer } from "../support/endlessServer.js"
import type { RawResponse } from "../support/faultServer.js"
import { faultServer, head, respond } from "../support/faultServer.js"
import { png } from "../support/imageFiles.js"
import { apiAt, transports } from "../support/transports.js"

const mebibyte = 1024 * 1024

const submit = (api: ArtaApi.Service) => api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))
const status = (api: ArtaApi.Service) => api.status(Generation.RecordId.make("rec"))

const accepted = Buffer.from('{"record_id":"rec–1"}')
const done = Buffer.from('{"status":"DONE","response":[{"url":"https://images.test/é"}]}')
const image = `data:image/png;base64,${"A".repeat(2 * mebibyte)}`
const large = Buffer.from(JSON.stringify({ status: "DONE", response: [{ url: "https://images.test/0", image }] }))

const chunked = (...parts: ReadonlyArray<Uint8Array>): RawResponse => ({
  write: [
    head(200, { "transfer-encoding": "chunked" }),
    ...parts.flatMap((part) => [`${part.length.toString(16)}\r\n`, part, "\r\n"]),
    "0\r\n\r\n"
  ],
  then: "keep"
})

const base64 = Buffer.from(png).toString("base64")

const bytewise = (body: Uint8Array) => chunked(...Array.from(body, (byte) => new Uint8Array([byte])))

const junkWithZeros = Buffer.from("<!-- hi -->\0\0PK\x03\x04\x14\0\0\0\b\0")

describe.each(transports)("With %s", { timeout: 180_000 }, (_, transport) => {
  // fault: Whatever a service sends | A body that is gzip although no request asked for it | nothing
  it.scopedLive.each<[string, (body: Uint8Array) => RawResponse]>([
    ["gzip with its header", (body) => respond(200, gzipSync(body), { "content-encoding": "gzip" })],
    ["gzip without a header", (body) => respond(200, gzipSync(body))],
    ["gzip with a newline after it", (body) => respond(200, Buffer.concat([gzipSync(body), Buffer.from("\n")]))],
    ["gzip with a page after it", (body) => respond(200, Buffer.concat([gzipSync(body), Buffer.from("<!-- hi -->")]))],
    ["gzip with zeros in what is after it", (body) => respond(200, Buffer.concat([gzipSync(body), junkWithZeros]))],
    ["a page after it", (body) => respond(200, Buffer.concat([body, Buffer.from("\n<!-- cached -->")]))],
    ["a zero after it", (body) => respond(200, Buffer.concat([body, Buffer.from("\0")]))],
    ["gzip in chunks", (body) => bytewise(gzipSync(body))],
    ["no gzip in chunks", bytewise]
  ])("reads %s", ([, encode]) =>
    Effect.gen(function* () {
      const { url } = yield* faultServer({
        "/text2image/rec/status": [encode(done)],
        "/text2image": [encode(accepted)]
      })
      const api = yield* apiAt(transport, url)
      expect(yield* submit(api)).toBe("rec–1")
      const found = yield* status(api)
      expect(found).toMatchObject({ _tag: "Done", images: [{ index: 0, url: "https://images.test/%C3%A9" }] })
    })
  )

  it.scopedLive.each<[string, RawResponse]>([
    ["by length", respond(200, large)],
    ["in chunks", chunked(large)],
    ["as gzip", respond(200, gzipSync(large))]
  ])("reads a status with an image of 2 MiB %s", ([, response]) =>
    Effect.gen(function* () {
      const { url } = yield* faultServer({ "/text2image": [response] })
      expect(yield* Effect.flatMap(apiAt(transport, url), status)).toMatchObject({ _tag: "Done" })
    })
  )

  // fault: Whatever a service sends | A `data:` URL with line breaks, spaces, or a parameter that is not ASCII | the image
  it.scopedLive.each<[string, string]>([
    ["lines of \\n", `data:image/png;base64,${base64.replace(/(.{76})/g, "$1\n")}`],
    ["lines of \\r\\n", `data:image/png;base64,${base64.replace(/(.{76})/g, "$1\r\n")}`],
    ["a space before the content", `data:image/png;base64, ${base64}`],
    ["spaces before the parameters", ` data:image/png; charset=utf-8; base64,${base64}`],
    ["a name that is not ASCII", `data:image/png;name=ü\ud800.png;base64,${base64}`]
  ])("reads a data: URL with %s", ([, image]) =>
    Effect.gen(function* () {
      const { url } = yield* faultServer({
        "/text2image": [respond(200, { status: "DONE", response: [{ url: image }] })]
      })
      const found = yield* Effect.flatMap(apiAt(transport, url), status)
      const images = found._tag === "Done" ? found.images : []
      const loaded = yield* Effect.forEach(images, (image) => Stream.runCollect(ImageFile.bytes(image)))
      expect(loaded.map((chunks) => Buffer.concat([...chunks]).toString("base64"))).toEqual([base64])
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  // fault: Whatever a service sends | A response of more than 1 MiB to a submission | `SubmissionUnknownError`, one POST
  it.scopedLive.each<[string, RawResponse]>([
    ["by length", respond(200, large)],
    ["in chunks", chunked(large)],
    ["as gzip", respond(200, gzipSync(large))],
    ["as gzip in chunks", chunked(gzipSync(large))],
    ["as gzip with its header", respond(200, gzipSync(large), { "content-encoding": "gzip" })]
  ])("does not read a submission's response of 2 MiB %s", ([, response]) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/text2image": [response] })
      const error = yield* Effect.flip(Effect.flatMap(apiAt(transport, url), submit))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError", reason: "the response is larger than 1 MiB" })
      expect(requests).toHaveLength(1)
    })
  )

  // fault: Whatever a service sends | A refusal whose body is cut off, too large or no gzip | the refusal
  it.scopedLive.each<[string, (status: number) => RawResponse]>([
    ["is cut off", (status) => ({ write: [head(status, { "content-length": "99" }), "no"], then: "close" })],
    ["is too large", (status) => respond(status, "x".repeat(2 * mebibyte))],
    ["is no gzip", (status) => respond(status, Buffer.from([31, 139, 8, 0, 1]))]
  ])("knows that a submission was refused if the body %s", ([, refusal]) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/text2image": [refusal(429), refusal(402)] })
      const api = yield* apiAt(transport, url)
      expect(yield* Effect.flip(submit(api))).toMatchObject({
        _tag: "RateLimitedError",
        reason: undefined
      })
      expect(yield* Effect.flip(submit(api))).toMatchObject({ _tag: "ResponseError", status: 402 })
      expect(requests).toHaveLength(2)
    })
  )

  // fault: Whatever a service sends | A gzip body that is cut off | as if the connection had failed
  it.scopedLive("reports gzip that is cut off", () =>
    Effect.gen(function* () {
      const half = gzipSync(accepted).subarray(0, 20)
      const { url } = yield* faultServer({ "/text2image": [respond(200, half), chunked(half)] })
      const api = yield* apiAt(transport, url)
      expect(yield* Effect.flip(status(api))).toMatchObject({ reason: "the response was cut off" })
      expect(yield* Effect.flip(submit(api))).toMatchObject({ reason: "the response was cut off" })
    })
  )

  // fault: Whatever a service sends | A status that never ends | `TransportError` after 88 MiB
  it.scopedLive("stops reading an endless status", () =>
    Effect.gen(function* () {
      const { sent, url } = yield* endlessServer(false)
      const error = yield* Effect.flip(Effect.flatMap(apiAt(transport, url), status))
      expect(error).toMatchObject({ _tag: "TransportError", reason: "the response is larger than 88 MiB" })
      expect(sent()).toBeLessThan(128 * mebibyte)
    })
  )

  // fault: Whatever a service sends | A gzip bomb without end | `SubmissionUnknownError` after 1 MiB
  it.scopedLive("stops reading a gzip bomb", () =>
    Effect.gen(function* () {
      const { url } = yield* endlessServer(true)
      const error = yield* Effect.flip(Effect.flatMap(apiAt(transport, url), submit))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError", reason: "the response is larger than 1 MiB" })
    })
  )
})
