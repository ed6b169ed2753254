import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Stream } from "effect"
import { ImageFile } from "effect-arta"
import { encode } from "fast-png"
import { gzipSync } from "node:zlib"
import type { RawResponse } from "../support/faultServer.js"
import { faultServer, head, respond, truncate } from "../support/faultServer.js"
import { jpeg, png, trailers, webp } from "../support/imageFiles.js"

const formats = { png, jpeg, webp }

const large = encode({
  width: 256,
  height: 256,
  channels: 3,
  data: Uint8Array.from({ length: 256 * 256 * 3 }, (_, index) => Math.imul(index, 2654435761) >>> 24)
})

const clients = [
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", FetchHttpClient.layer]
] as const

/** The bytes of an image that the server sends with these responses. */
const download = (...responses: ReadonlyArray<RawResponse>) =>
  Effect.gen(function* () {
    const { url } = yield* faultServer({ "/0": responses })
    return Buffer.concat([...(yield* Stream.runCollect(ImageFile.bytes({ index: 0, url: `${url}/0` })))])
  })

const pieces = (body: Uint8Array, size: number): RawResponse => ({
  write: [
    head(200, { "content-length": body.length }),
    ...Array.from({ length: Math.ceil(body.length / size) }, (_, at) => body.subarray(at * size, (at + 1) * size))
  ],
  then: "keep"
})

const cases = Object.entries(formats).flatMap(([format, image]) =>
  trailers.map(([name, trailer]) => [format, name, Buffer.concat([image, trailer])] as const)
)

describe.concurrent("The end of an image", { timeout: 60_000 }, () => {
  // fault: Download | Bytes after the end of an image | the image, with these bytes
  it.scopedLive.each(cases)("%s with %s after its end is complete", ([, , body]) =>
    Effect.gen(function* () {
      for (const response of [respond(200, body), pieces(body, 7), respond(200, gzipSync(body))]) {
        expect(Buffer.compare(yield* download(response), body)).toBe(0)
      }
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  // fault: Download | An image cut off at any byte | `DownloadError`
  it.scopedLive.each(Object.entries(formats))("%s is incomplete at every byte before its end", ([, image]) =>
    Effect.gen(function* () {
      const lengths = Array.from({ length: image.length }, (_, length) => length).filter(
        (length) => length >= 12 && (length < 60 || length > image.length - 30 || length % 97 === 0)
      )
      const { url } = yield* faultServer(
        Object.fromEntries(
          lengths.map((length) => [`/${String(length)}.`, [respond(200, image.subarray(0, length))]] as const)
        )
      )
      yield* Effect.forEach(
        lengths,
        (length) =>
          Effect.map(
            Effect.flip(Stream.runDrain(ImageFile.bytes({ index: 0, url: `${url}/${String(length)}.` }))),
            ({ reason }) => {
              expect(reason).toBe("the image is incomplete")
            }
          ),
        { concurrency: 8 }
      )
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )
})

const newline = Buffer.from("\n")
const comment = Buffer.from("<!-- cached -->")

/** A body with a length in its header that is not its own. */
const withLength = (length: number, body: Uint8Array, headers: Readonly<Record<string, string>> = {}): RawResponse => ({
  write: [head(200, { "content-length": length, ...headers }), body],
  then: "close"
})

const gzipHeader = { "content-encoding": "gzip" }

describe.concurrent.each(clients)("The body of an image with %s", { timeout: 60_000 }, (_, client) => {
  // fault: Download | A connection that ends badly after the end of an image | the image
  it.scopedLive.each<[string, RawResponse]>([
    ["a length that is too large", withLength(jpeg.length + 10, jpeg)],
    ["a length from before gzip", withLength(20_000, gzipSync(jpeg), gzipHeader)],
    ["a length that is too large, of gzip without a header", withLength(20_000, gzipSync(jpeg))],
    [
      "chunks without the last one",
      {
        write: [head(200, { "transfer-encoding": "chunked" }), `${jpeg.length.toString(16)}\r\n`, jpeg, "\r\n"],
        then: "close"
      }
    ]
  ])("is complete with %s", ([, response]) =>
    Effect.gen(function* () {
      expect(Buffer.compare(yield* download(response), jpeg)).toBe(0)
    }).pipe(Effect.provide(client))
  )

  // fault: Download | Bytes after the end of gzip | the image
  it.scopedLive.each<[string, Uint8Array]>([
    ["a newline", newline],
    ["a page", comment],
    ["zeros", new Uint8Array(50)],
    ["a newline and a zero", Buffer.from("\n\0")],
    ["a zero in a text", Buffer.from("abc\0def")],
    ["a long page", Buffer.from(`<!-- ${"cached ".repeat(2_000)} -->`)],
    ["an archive", Buffer.from([0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0, 1, 2, 0, 0, 3])]
  ])("is complete with %s after gzip", ([, trailer]) =>
    Effect.gen(function* () {
      const body = Buffer.concat([gzipSync(large), trailer])
      for (const response of [respond(200, body), pieces(body, 1_000)]) {
        expect(Buffer.compare(yield* download(response), large)).toBe(0)
      }
    }).pipe(Effect.provide(client))
  )

  // fault: Download | An image that is gzip although no request asked for it | the image
  it.scopedLive.each<[string, (body: Uint8Array) => RawResponse]>([
    ["with its header", (body) => respond(200, gzipSync(body), { "content-encoding": "gzip" })],
    ["without a header", (body) => respond(200, gzipSync(body))],
    ["longer than the image", (body) => respond(200, gzipSync(body, { level: 0 }), { "content-encoding": "gzip" })],
    ["byte by byte", (body) => pieces(gzipSync(body), 1)]
  ])("is decompressed: gzip %s", ([, encode]) =>
    Effect.gen(function* () {
      for (const image of [webp, jpeg]) expect(Buffer.compare(yield* download(encode(image)), image)).toBe(0)
    }).pipe(Effect.provide(client))
  )

  it.scopedLive("is incomplete if gzip is cut off", () =>
    Effect.gen(function* () {
      for (const how of ["length", "chunk", "close"] as const) {
        const error = yield* Effect.flip(download(truncate(200, gzipSync(png), how)))
        expect(error.reason).toBe("the image is incomplete")
      }
    }).pipe(Effect.provide(client))
  )

  // fault: Download | A gzip bomb | `DownloadError` after 64 MiB
  it.scopedLive("is not read beyond 64 MiB, decompressed", () =>
    Effect.gen(function* () {
      const bomb = gzipSync(Buffer.concat([png, Buffer.alloc(65 * 1024 * 1024)]))
      const error = yield* Effect.flip(download(respond(200, bomb)))
      expect(error.reason).toBe("the response is larger than 64 MiB")
    }).pipe(Effect.provide(client))
  )

  // fault: Download | Status 203 or 206 with a whole image | the image
  it.scopedLive.each([200, 201, 203, 206])("is an image with status %d", (status) =>
    Effect.gen(function* () {
      expect(Buffer.compare(yield* download(respond(status, png)), png)).toBe(0)
    }).pipe(Effect.provide(client))
  )

  it.scopedLive("is empty", () =>
    Effect.gen(function* () {
      expect((yield* Effect.flip(download(respond(200)))).reason).toBe("the response is empty")
    }).pipe(Effect.provide(client))
  )
})

describe("An image in a data: URL", { timeout: 60_000 }, () => {
  const base64 = Buffer.from(png).toString("base64")
  const percent = Array.from(png, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")

  it.effect.each<[string, string]>([
    ["base64", `data:image/png;base64,${base64}`],
    ["base64 with parameters and another case", `DATA:image/png;name=a.png;BASE64,${base64}`],
    ["base64 with line breaks", `data:image/png;base64,${base64.replace(/(.{76})/g, "$1\r\n")}`],
    ["spaces before it", ` \n data:image/png;base64,${base64}`],
    ["a fragment", `data:image/png;base64,${base64}#top`],
    ["base64 without padding", `data:image/png;base64,${base64.replace(/=/g, "")}`],
    ["base64 with escapes", `data:image/png;base64,${encodeURIComponent(base64)}`],
    ["base64 without a type", `data:;base64,${base64}`],
    ["percent encoding", `data:image/png,${percent}`]
  ])("is decoded from %s", ([, url]) =>
    Effect.gen(function* () {
      const chunks = yield* Stream.runCollect(ImageFile.bytes({ index: 0, url }))
      expect(Buffer.compare(Buffer.concat(Chunk.toReadonlyArray(chunks)), png)).toBe(0)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  // fault: Download | A `data:` URL that is not a whole image | `DownloadError` without the content
  it.effect.each<[string, string, string]>([
    ["no comma", "data:image/png;base64", "is not a PNG, JPEG, or WebP image"],
    ["no content", "data:image/png;base64,", "is not a PNG, JPEG, or WebP image"],
    ["invalid base64", "data:image/png;base64,!!!!", "the base64 of the URL is invalid"],
    ["one digit too many", `data:image/png;base64,${"A".repeat(41)}`, "the base64 of the URL is invalid"],
    ["another kind of file", `data:image/svg+xml,${"<svg/>".repeat(50)}`, "is not a PNG, JPEG, or WebP image"],
    ["half an image", `data:image/png;base64,${base64.slice(0, base64.length / 2)}`, "the image is incomplete"],
    ["more than 64 MiB", `data:,${percent.slice(0, 60)}${"A".repeat(65 * 1024 * 1024)}`, "larger than 64 MiB"],
    ["an endless type", `data:${"image/".repeat(1e6)};base64,AAAA`, "is not a PNG, JPEG, or WebP image"]
  ])("is refused: %s", ([, url, reason]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(ImageFile.bytes({ index: 0, url })))
      expect(error.reason).toContain(reason)
      expect(error.url.length).toBeLessThan(600)
      expect(error.url.length).toBeLessThanOrEqual(Math.max(url.indexOf(",") + 2, 600))
      expect(error.message).not.toContain("AAAA")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )
})
