import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { ImageFile } from "effect-arta"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import { faultServer, respond } from "../support/faultServer.js"
import { jpeg, png, webp } from "../support/imageFiles.js"

const images = { png, jpeg, webp }

const clients = [
  ["undici", NodeHttpClient.layerUndici],
  ["fetch", FetchHttpClient.layer]
] as const

/** The bytes of an image that the server sends with this header. */
const download = (body: Uint8Array, encoding: string) =>
  Effect.gen(function* () {
    const { url } = yield* faultServer({ "/0": [respond(200, body, { "content-encoding": encoding })] })
    return Buffer.concat([...(yield* Stream.runCollect(ImageFile.bytes({ index: 0, url: `${url}/0` })))])
  })

describe.concurrent.each(clients)("A compressed image with %s", { timeout: 60_000 }, (_, client) => {
  // fault: Download | A deflate-compressed image that no request accepted | the image
  it.scopedLive.each<[string, string, (body: Uint8Array) => Uint8Array]>([
    ["deflate", "deflate", (body) => deflateSync(body)],
    ["the fastest deflate", "Deflate", (body) => deflateSync(body, { level: 1 })],
    ["the smallest deflate", "deflate", (body) => deflateSync(body, { level: 9 })],
    ["raw deflate, without the zlib header", "deflate", (body) => deflateRawSync(body)],
    ["gzip", "gzip", (body) => gzipSync(body)]
  ])("is decompressed: %s", ([, encoding, compress]) =>
    Effect.gen(function* () {
      for (const image of Object.values(images)) {
        expect(Buffer.compare(yield* download(compress(image), encoding), image)).toBe(0)
      }
    }).pipe(Effect.provide(client))
  )
})

describe.concurrent("An image with a wrong Content-Encoding", { timeout: 60_000 }, () => {
  it.scopedLive.each(["deflate", "br", "zstd", "compress", "identity", "x-none"])(
    "is kept as it arrived if it is not compressed: %s",
    (encoding) =>
      Effect.gen(function* () {
        for (const image of Object.values(images)) {
          expect(Buffer.compare(yield* download(image, encoding), image)).toBe(0)
        }
      }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  it.scopedLive("is decompressed as gzip if it is gzip", () =>
    Effect.gen(function* () {
      expect(Buffer.compare(yield* download(gzipSync(png), "deflate"), png)).toBe(0)
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  it.scopedLive("is decompressed twice if it was compressed twice, and no more", () =>
    Effect.gen(function* () {
      const twice = gzipSync(gzipSync(png))
      expect(Buffer.compare(yield* download(twice, "gzip"), png)).toBe(0)
      const { reason } = yield* Effect.flip(download(gzipSync(twice), "gzip"))
      expect(reason).toContain("not a PNG, JPEG, or WebP image")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )

  it.scopedLive("is refused with the name of a compression that is not supported", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(download(brotliCompressSync(webp), "br"))
      expect(reason).toBe("the response is compressed (br), which is not supported")
      const other = yield* Effect.flip(download(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0]), "gzip, zstd"))
      expect(other.reason).toBe("the response is compressed (zstd), which is not supported")
    }).pipe(Effect.provide(NodeHttpClient.layerUndici))
  )
})
