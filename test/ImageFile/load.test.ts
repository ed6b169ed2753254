import { HttpClient } from "@effect/platform"
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Layer, Option } from "effect"
import { Arta, ArtaApi, Generation, ImageFile } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"
import { faultServer, respond, truncate } from "../support/faultServer.js"
import { jpeg, png, webp } from "../support/imageFiles.js"
import { runToEnd } from "../support/withEmulator.js"

const recordId = Generation.RecordId.make("record-1")

const apiWith = (status: Effect.Effect<Generation.GenerationStatus>) =>
  Effect.provideService(ArtaApi.ArtaApi, { submit: () => Effect.dieMessage("No."), status: () => status })

const onSockets = Effect.provide(Layer.merge(NodeHttpClient.layerUndici, NodeContext.layer))

const percentEncode = (character: string) => `%${character.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`

describe("ImageFile.load", () => {
  it.effect("loads the images of a generation", () =>
    Effect.gen(function* () {
      const generation = yield* Arta.run({ prompt: "cat", n: 3 })
      const loaded = Either.all(yield* ImageFile.load(generation))
      const images = Either.getOrThrow(loaded)
      expect(images.map(({ image }) => image)).toEqual(generation.images)
      expect(images.map(({ mediaType }) => mediaType)).toEqual(["image/png", "image/png", "image/png"])
      expect(images.every(({ bytes }) => bytes.length > 1_000)).toBe(true)
    }).pipe(runToEnd, Effect.provide(ArtaEmulator.layerArta()))
  )

  // fault: Download | One of several images cannot be loaded | the others, in order
  it.scopedLive("recognizes every format, retries, renews an expired URL, and reports the others", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({
        "/png": [truncate(200, png, "close"), { then: "reset" }, respond(200, png)],
        "/old": [respond(403)],
        "/new": [respond(200, jpeg, { "content-type": "text/plain" })],
        "/webp": [respond(200, webp)],
        "/page": [respond(200, "<h1>Hello, this is a page</h1>")]
      })
      const data = `data:image/png;base64,${Buffer.from(png).toString("base64")}`
      const urls = ["/png", "/old", "/webp", "/page"].map((path) => url + path)
      const images = [...urls, data].map((url, index) => ({ index: index + 1, url }))
      const [first, ...others] = images
      if (first === undefined) return
      const renewed = Effect.succeed<Generation.GenerationStatus>({
        _tag: "Done",
        images: [{ index: 2, url: `${url}/new` }]
      })
      const results = yield* ImageFile.load({ recordId, images: [first, ...others] }).pipe(apiWith(renewed))
      expect(results.map(Either.map(({ mediaType, bytes }) => [mediaType, bytes.length]))).toMatchObject([
        Either.right(["image/png", png.length]),
        Either.right(["image/jpeg", jpeg.length]),
        Either.right(["image/webp", webp.length]),
        Either.left({ _tag: "DownloadError", url: `${url}/page`, recordId }),
        Either.right(["image/png", png.length])
      ])
      expect(results.map(Either.map(({ image }) => image))).toMatchObject(
        images.map((image) => (image.index === 4 ? Either.left({}) : Either.right(image)))
      )
      expect(requests.filter((request) => request.startsWith("GET /png "))).toHaveLength(3)
    }).pipe(onSockets)
  )

  it.effect.each([
    {
      form: "base64 without padding",
      of: (image: Buffer) => `data:image/png;base64,${image.toString("base64").replace(/=+$/, "")}`
    },
    {
      form: "base64 in lines",
      of: (image: Buffer) => `data:image/png;base64,${image.toString("base64").replace(/.{60}/g, "$&\n ")}`
    },
    {
      form: "base64 in capitals, after spaces",
      of: (image: Buffer) => ` DATA: image/png ; BASE64 ,${image.toString("base64")}#top`
    },
    {
      form: "percent-encoded base64",
      of: (image: Buffer) => `data:;base64,${encodeURIComponent(image.toString("base64"))}`
    },
    {
      form: "percent-encoded bytes",
      of: (image: Buffer) => `data:image/png,${image.toString("latin1").replace(/[^a-z]/g, percentEncode)}#top`
    },
    {
      form: "bytes as they are",
      of: (image: Buffer) => `data:,${image.toString("latin1").replace(/[%#]/g, percentEncode)}`
    }
  ])("decodes a data: URL with $form", ({ of }) =>
    Effect.gen(function* () {
      const source = { recordId, images: [{ index: 0, url: of(Buffer.from(png)) }] } as const
      const [loaded] = yield* ImageFile.load(source).pipe(apiWith(Effect.dieMessage("No.")))
      expect(loaded).toMatchObject(Either.right({ mediaType: "image/png" }))
      expect(
        Option.map(Option.flatMap(Option.fromNullable(loaded), Either.getRight), ({ bytes }) => Buffer.from(bytes))
      ).toEqual(Option.some(Buffer.from(png)))
    }).pipe(onSockets)
  )

  it.effect.each([
    { url: "data:image/png;base64,%%%", says: "the base64 of the URL is invalid", shown: "data:image/png;base64,…" },
    { url: "data:,RIFF0000%20This%20is%20a%20page", says: "not a PNG", shown: "data:,…" },
    { url: "data:image/png", says: "not a PNG", shown: "data:…" }
  ])("refuses the data: URL $url", ({ says, shown, url }) =>
    Effect.gen(function* () {
      const source = { recordId, images: [{ index: 0, url }] } as const
      const [loaded] = yield* ImageFile.load(source).pipe(apiWith(Effect.dieMessage("No.")))
      expect(loaded).toMatchObject(Either.left({ url: shown, reason: expect.stringContaining(says) as string }))
    }).pipe(onSockets)
  )

  // fault: Download | A `data:` URL that is broken | `DownloadError` without a retry and without its content
  it.scopedLive("does not retry a data: URL", () =>
    Effect.gen(function* () {
      const url = `data:image/png;base64,${Buffer.from(png).toString("base64").slice(0, 400)}`
      const source = { recordId, images: [{ index: 0, url }] } as const
      const [loaded] = yield* ImageFile.load(source).pipe(apiWith(Effect.dieMessage("No.")))
      expect(loaded).toMatchObject(
        Either.left({ url: "data:image/png;base64,…", reason: "the image is incomplete", recordId })
      )
    }).pipe(
      onSockets,
      Effect.provideService(
        HttpClient.HttpClient,
        HttpClient.make(() => Effect.dieMessage("No."))
      )
    )
  )

  // fault: Secrets | Control characters in the address of an image | visible in the error, and on one line
  it.effect("shows control characters of an address", () =>
    Effect.gen(function* () {
      const url = `ftp://images.test/\u001b[31m\r\n${"x".repeat(1e5)}`
      const source = { recordId, images: [{ index: 0, url }] } as const
      const [loaded] = yield* ImageFile.load(source).pipe(apiWith(Effect.dieMessage("No.")))
      const error = Option.getOrUndefined(Option.flatMap(Option.fromNullable(loaded), Either.getLeft))
      expect(error?.message).toContain("ftp://images.test/\\u001b[31m")
      expect(error?.message).not.toMatch(/[\0-\x1f\x7f-\x9f]/)
      expect(error?.url.length).toBeLessThan(600)
    }).pipe(onSockets)
  )
})
