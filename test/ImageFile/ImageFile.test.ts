import { FetchHttpClient, FileSystem } from "@effect/platform"
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Either, Layer, Stream } from "effect"
import { ArtaApi, Auth, GenerateRequest, Generation, ImageFile } from "effect-arta"
import { encode } from "fast-png"
import type { Step } from "../support/failingDisk.js"
import { failing } from "../support/failingDisk.js"
import type { RawResponse } from "../support/faultServer.js"
import { truncate, faultServer, head, respond } from "../support/faultServer.js"
import { jpeg, webp } from "../support/imageFiles.js"
import { opaqueRedirects } from "../support/opaqueRedirects.js"
import { scriptedClient } from "../support/scriptedClient.js"

const png = encode({ width: 8, height: 8, data: new Uint8Array(8 * 8 * 3), channels: 3 })

const recordId = Generation.RecordId.make("record-1")
const request = new GenerateRequest.GenerateRequest({ prompt: "Café & cats / <b>", seed: 7 })

const sourceOf = (url: string, ...more: ReadonlyArray<string>): ImageFile.Source => ({
  recordId,
  request,
  images: [{ index: 0, url }, ...more.map((url, index) => ({ index: index + 1, url }))]
})

/** Prepares a save of the images at `/0`, `/1`, … of a server with these scripts. */
const makeSave = (
  scripts: Readonly<Record<string, ReadonlyArray<RawResponse>>>,
  paths: readonly [string, ...ReadonlyArray<string>] = ["/0"],
  status: Effect.Effect<Generation.GenerationStatus> = Effect.succeed({ _tag: "InProgress" })
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const server = yield* faultServer(scripts)
    const directory = `${yield* fs.makeTempDirectoryScoped()}/images`
    const [first, ...more] = paths
    const save = ImageFile.save(sourceOf(server.url + first, ...more.map((path) => server.url + path)), {
      directory
    }).pipe(Effect.provideService(ArtaApi.ArtaApi, { submit: () => Effect.dieMessage("No."), status: () => status }))
    const results = Effect.map(save, (saved) => saved.map(({ result }) => result))
    const files = Effect.orElseSucceed(fs.readDirectory(directory), () => [])
    return { fs, directory, server, results, files }
  })

const noApi = Layer.succeed(ArtaApi.ArtaApi, {
  submit: () => Effect.dieMessage("No."),
  status: () => Effect.dieMessage("No.")
})

const onDisk = Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layerUndici))

const mebibyte = 1024 * 1024

/** An image of 66 MiB. After it, the server keeps the connection open and sends nothing. */
const tooLong = (
  headers: Readonly<Record<string, string | number>>,
  frame: (part: Uint8Array) => RawResponse["write"]
) => {
  const part = new Uint8Array(mebibyte)
  part.set(png)
  const parts = Array.from({ length: 66 }, () => frame(part) ?? [])
  return { write: [head(200, headers), ...parts.flat()], then: "silence" } as const
}

const declaredTooLong: RawResponse = {
  write: [head(200, { "content-length": 64 * mebibyte + 1 }), png.subarray(0, 100)],
  then: "silence"
}

const chunked = { "transfer-encoding": "chunked" }
const bare = (part: Uint8Array) => [part]
const asChunk = (part: Uint8Array) => [`${part.length.toString(16)}\r\n`, part, "\r\n"]

const whole = respond(200, png, { "content-type": "image/png" })
const singleBytes: RawResponse = {
  write: [head(200, { "content-length": png.length }), ...Array.from(png, (byte) => new Uint8Array([byte]))],
  then: "keep"
}

// Most of these tests wait for a retry in real time.
// Several images of 66 MiB come over real sockets.
describe.concurrent("ImageFile.save", { timeout: 60_000 }, () => {
  it.scopedLive.each([
    { name: "My image: no. 3/4", file: "My image- no. 3-4-0.png" },
    { name: "../up", file: "up-0.png" },
    { name: "x".repeat(300), file: `${"x".repeat(130)}-0.png` }
  ])("saves the name $name as $file", ({ file, name }) =>
    Effect.gen(function* () {
      const { directory, files, server } = yield* makeSave({ "/0": [whole] })
      yield* ImageFile.save(sourceOf(`${server.url}/0`), { directory, name }).pipe(Effect.provide(noApi))
      expect(yield* files).toEqual([file])
    }).pipe(onDisk)
  )

  // fault: Download | A prompt that is not a valid file name | a safe name
  it.scopedLive("names a file by prompt, seed, and index, with the extension of its content", () =>
    Effect.gen(function* () {
      const { directory, files, fs, results } = yield* makeSave({ "/0": [whole] })
      const path = `${directory}/cafe-cats-b-7-0.png`
      expect(yield* results).toEqual([Either.right(path)])
      expect(Buffer.compare(yield* fs.readFile(path), png)).toBe(0)
      expect(yield* files).toEqual(["cafe-cats-b-7-0.png"])
    }).pipe(onDisk)
  )

  it.scopedLive("names a file by the record id if there is no request", () =>
    Effect.gen(function* () {
      const { directory, server } = yield* makeSave({ "/0": [whole] })
      const images = [{ index: 0, url: `${server.url}/0` }] as const
      const [saved] = yield* ImageFile.save({ recordId, images }, { directory }).pipe(
        Effect.provide(Layer.provide(ArtaApi.layer(), Auth.layerToken("unused")))
      )
      expect(saved?.result).toEqual(Either.right(`${directory}/record-1-0.png`))
    }).pipe(onDisk)
  )

  // fault: Download | The file name is taken | a number after the name
  it.scopedLive("never overwrites a file, even with concurrent saves", () =>
    Effect.gen(function* () {
      const { files, results } = yield* makeSave({ "/0": [whole] })
      yield* Effect.all(Effect.replicate(results, 5), { concurrency: "unbounded" })
      expect((yield* files).toSorted()).toEqual(
        ["", "-2", "-3", "-4", "-5"].map((suffix) => `cafe-cats-b-7-0${suffix}.png`).toSorted()
      )
    }).pipe(onDisk)
  )

  // fault: Download | A file system without hard links, which then fails | the image, or `DownloadError` with the directory
  it.scopedLive("saves without hard links, and leaves no empty file when that fails", () =>
    Effect.gen(function* () {
      const { directory, files, fs, results } = yield* makeSave({ "/0": [whole] })
      const on = (...steps: ReadonlyArray<Step>) =>
        Effect.provideService(FileSystem.FileSystem, failing(fs, { on: steps, failure: "permission denied" }))
      const [failed] = yield* results.pipe(on("link", "rename"))
      expect(Either.getLeft(failed ?? Either.right(""))).toMatchObject({
        value: { _tag: "DownloadError", path: directory }
      })
      expect(yield* files).toEqual([])
      yield* results.pipe(on("link"))
      expect(yield* files).toEqual(["cafe-cats-b-7-0.png"])
    }).pipe(onDisk)
  )

  it.scopedLive.each<[string, Uint8Array, string]>([
    ["JPEG", jpeg, "jpg"],
    ["WebP", webp, "webp"]
  ])("recognizes %s with any content type", ([, bytes, extension]) =>
    Effect.gen(function* () {
      const { files, results } = yield* makeSave({ "/0": [respond(200, bytes, { "content-type": "text/plain" })] })
      expect((yield* results).every(Either.isRight)).toBe(true)
      expect(yield* files).toEqual([`cafe-cats-b-7-0.${extension}`])
    }).pipe(onDisk)
  )

  // fault: Download | An error page, no image, a truncated image or one that is too long | `DownloadError`, no file
  it.scopedLive.each<[string, RawResponse, RegExp, number]>([
    ["a page with status 451", respond(451, "<h1>Not here</h1>"), /HTTP 451/, 2],
    ["a page with status 200", respond(200, "<h1>Hello, this is a page</h1>"), /not a PNG/, 1],
    ["a very short page", respond(200, "Hello"), /not a PNG/, 1],
    ["an empty body", respond(200, ""), /empty/, 4],
    ["a body cut short by length", truncate(200, png, "length"), /incomplete/, 4],
    ["a body cut short by chunk", truncate(200, png, "chunk"), /incomplete/, 4],
    ["a body cut short by a plain close", truncate(200, png, "close"), /incomplete/, 4],
    ["a JPEG without its end", respond(200, jpeg.subarray(0, 20)), /incomplete/, 4],
    ["a WebP without its end", respond(200, webp.subarray(0, 20)), /incomplete/, 4],
    ["a reset", { then: "reset" }, /connection failed/, 4],
    ["500", respond(500), /HTTP 500/, 4],
    ["408", respond(408), /HTTP 408/, 4],
    ["an image with status 300, without a location", respond(300, png), /HTTP 300/, 1],
    ["more than 64 MiB by length", declaredTooLong, /larger than 64 MiB/, 1],
    ["more than 64 MiB in chunks", tooLong(chunked, asChunk), /larger than 64 MiB/, 1],
    ["more than 64 MiB until the connection closes", tooLong({ connection: "close" }, bare), /larger than 64 MiB/, 1],
    ["endless redirects", respond(302, "", { location: "/0" }), /redirects too often/, 6],
    ["a redirect to a file URL", respond(302, "", { location: "file:///etc/passwd" }), /not an http or https URL/, 1]
  ])("leaves no file behind after %s", ([, response, reason, requests]) =>
    Effect.gen(function* () {
      const { files, results, server } = yield* makeSave({ "/0": [response] })
      const [result] = yield* results
      const error = Either.getOrUndefined(Either.flip(result ?? Either.right("")))
      expect(error).toMatchObject({ _tag: "DownloadError", url: `${server.url}/0`, recordId })
      expect(error?.message).toMatch(reason)
      expect(yield* files).toEqual([])
      expect(server.requests).toHaveLength(requests)
    }).pipe(onDisk)
  )

  // fault: Download | Failures that pass at a download | nothing
  it.scopedLive.each<[string, ReadonlyArray<RawResponse>]>([
    ["a reset", [{ then: "reset" }, whole]],
    ["503 and a truncated body", [respond(503), truncate(200, png, "close"), whole]],
    ["a redirect", [respond(302, "", { location: "/elsewhere" })]],
    ["a body of single bytes", [singleBytes]]
  ])("saves the image in spite of %s", ([, responses]) =>
    Effect.gen(function* () {
      const { files, results } = yield* makeSave({ "/0": responses, "/elsewhere": [whole] })
      expect((yield* results).every(Either.isRight)).toBe(true)
      expect(yield* files).toHaveLength(1)
    }).pipe(onDisk)
  )

  // fault: Download | One of several downloads fails | the other files
  it.scopedLive("saves the other images when one fails", () =>
    Effect.gen(function* () {
      const scripts = { "/0": [whole], "/1": [respond(400)], "/2": [whole] }
      const { files, results } = yield* makeSave(scripts, ["/0", "/1", "/2"])
      expect((yield* results).map(Either.isRight)).toEqual([true, false, true])
      expect(yield* files).toHaveLength(2)
    }).pipe(onDisk)
  )

  // fault: Download | The image address has expired | nothing
  it.scopedLive.each([400, 401, 403, 409, 410])("requests the status once for a new URL after %d", (code) =>
    Effect.gen(function* () {
      let asked = 0
      const renewed: { url: string } = { url: "" }
      const status = Effect.sync((): Generation.GenerationStatus => {
        asked += 1
        return { _tag: "Done", images: [{ index: 0, url: renewed.url }] }
      })
      const { results, server } = yield* makeSave({ "/0": [respond(code)], "/new": [whole] }, ["/0"], status)
      renewed.url = `${server.url}/new`
      expect((yield* results).every(Either.isRight)).toBe(true)
      expect(asked).toBe(1)
      renewed.url = `${server.url}/0`
      expect((yield* results).every(Either.isLeft)).toBe(true)
      expect(asked).toBe(2)
    }).pipe(onDisk)
  )

  // fault: Download | An image host that logs what it receives | no token and no tracing header is sent
  it.scopedLive("sends no token and no tracing headers to the image host", () =>
    Effect.gen(function* () {
      const { results, server } = yield* makeSave({ "/0": [whole] })
      yield* Effect.withSpan(results, "test")
      expect(server.requests.join()).not.toMatch(/authorization|traceparent|b3:/i)
    }).pipe(onDisk)
  )

  // fault: Download | A directory that cannot be written to | `DownloadError` with the path
  it.scopedLive("names the directory when an image cannot be written", () =>
    Effect.gen(function* () {
      const { directory, fs, results } = yield* makeSave({ "/0": [whole] })
      yield* fs.writeFileString(directory, "in the way")
      const [result] = yield* results
      expect(Either.getOrUndefined(Either.flip(result ?? Either.right("")))?.message).toContain(directory)
    }).pipe(onDisk)
  )
})

describe("ImageFile.bytes", { timeout: 60_000 }, () => {
  it.scopedLive("emits the bytes as they arrive, and fails at the end of an incomplete image", () =>
    Effect.gen(function* () {
      const server = yield* faultServer({ "/whole": [whole], "/cut": [truncate(200, png, "close")] })
      const at = (path: string) => ImageFile.bytes({ index: 0, url: server.url + path })
      const chunks = yield* Stream.runCollect(at("/whole"))
      expect(Buffer.compare(Buffer.concat(Chunk.toReadonlyArray(chunks)), png)).toBe(0)
      expect(yield* Effect.flip(Stream.runDrain(at("/cut")))).toMatchObject({ _tag: "DownloadError" })
    }).pipe(onDisk)
  )

  // fault: Download | An endless image | `DownloadError`
  it.scopedLive("stops reading at 64 MiB", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/0": [tooLong(chunked, asChunk)] })
      let length = 0
      const error = yield* ImageFile.bytes({ index: 0, url: `${url}/0` }).pipe(
        Stream.runForEach((chunk) => Effect.sync(() => (length += chunk.length))),
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "DownloadError" })
      expect(length).toBeGreaterThan(63 * mebibyte)
      expect(length).toBeLessThanOrEqual(64 * mebibyte)
      expect(requests).toHaveLength(1)
    }).pipe(onDisk)
  )

  // fault: Download | A redirect from https to http or to another scheme | `DownloadError`
  it.effect.each(["http://images.test/1", "HTTP://images.test/1", "ftp://images.test/1", "data:image/png,0"])(
    "follows no redirect from https to %s",
    (location) => {
      const http = scriptedClient({ "https://images.test/0": [{ status: 302, headers: { location } }] })
      return Effect.gen(function* () {
        const image = { index: 0, url: "https://images.test/0" }
        const error = yield* Effect.flip(Stream.runDrain(ImageFile.bytes(image)))
        expect(error).toMatchObject({ _tag: "DownloadError", url: "https://images.test/0" })
        expect(error.message).toMatch(/from https to http|not an http or https URL/)
        expect(http.seen).toHaveLength(1)
      }).pipe(Effect.provide(http.layer))
    }
  )

  it.scopedLive("checks each redirect if the client does not follow redirects", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/0": [respond(302, "", { location: "/0" })] })
      const error = yield* Effect.flip(Stream.runDrain(ImageFile.bytes({ index: 0, url: `${url}/0` })))
      expect(error.message).toContain("redirects too often")
      expect(requests).toHaveLength(6)
    }).pipe(
      Effect.provide(
        Layer.provide(FetchHttpClient.layer, Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
      )
    )
  )

  // fault: Download | A redirect of an image that a browser hides | `DownloadError`
  it.effect("reports a redirect that a browser hides", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(ImageFile.bytes({ index: 0, url: "https://images.test/0" })))
      expect(error.message).toContain("redirects are not followed")
    }).pipe(Effect.provide(opaqueRedirects))
  )

  // fault: Download | An image address that is neither http nor https | `DownloadError`
  it.effect.each(["file:///etc/passwd", "blob:https://images.test/0", "not a url"])("rejects the URL %s", (url) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(ImageFile.bytes({ index: 0, url })))
      expect(error).toMatchObject({ _tag: "DownloadError", url })
    }).pipe(onDisk)
  )
})
