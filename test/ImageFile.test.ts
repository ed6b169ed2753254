import { FileSystem, HttpClient, HttpClientResponse } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, TestClock } from "effect"
import { Arta, ImageFile } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"

const withDisk = <A, E, R>(test: (fs: FileSystem.FileSystem, directory: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* test(fs, `${yield* fs.makeTempDirectoryScoped()}/pictures`)
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeContext.layer, ArtaEmulator.layerArta())))

const aPicture = Effect.gen(function* () {
  const fiber = yield* Effect.fork(Arta.run({ prompt: "a cat" }))
  yield* TestClock.adjust("1 minute")
  const generation = yield* Fiber.join(fiber)
  return generation.images[0]
})

const answering = (body: string | Uint8Array, status = 200) =>
  Effect.provideService(
    HttpClient.HttpClient,
    HttpClient.make((request) =>
      Effect.succeed(
        HttpClientResponse.fromWeb(request, new Response(new Blob([new Uint8Array(Buffer.from(body))]), { status }))
      )
    )
  )

describe("ImageFile", () => {
  it.effect("saves a picture under its name and the extension of its content", () =>
    withDisk((fs, directory) =>
      Effect.gen(function* () {
        const image = yield* aPicture
        const path = yield* ImageFile.save(image, { directory, name: "cat" })
        expect(path).toBe(`${directory}/cat.png`)
        const { bytes } = yield* ImageFile.download(image)
        expect(Buffer.compare(yield* fs.readFile(path), bytes)).toBe(0)
      })
    )
  )

  it.effect("never overwrites a file", () =>
    withDisk((fs, directory) =>
      Effect.gen(function* () {
        const image = yield* aPicture
        const saved = yield* Effect.all(Effect.replicate(ImageFile.save(image, { directory, name: "cat" }), 3))
        expect(saved).toEqual([`${directory}/cat.png`, `${directory}/cat-2.png`, `${directory}/cat-3.png`])
        expect(yield* fs.readDirectory(directory)).toHaveLength(3)
      })
    )
  )

  it.effect.each<[string, Uint8Array, string]>([
    ["PNG", new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0]), "png"],
    ["JPEG", new Uint8Array([0xff, 0xd8, 0xff, 0xe0]), "jpg"],
    ["WebP", new Uint8Array(Buffer.from("RIFF\n\n\n\nWEBPVP8 ")), "webp"]
  ])("recognises %s", ([, bytes, extension]) =>
    Effect.gen(function* () {
      expect(yield* ImageFile.download({ index: 0, url: "https://a/1" })).toEqual({ bytes, extension })
    }).pipe(answering(bytes))
  )

  it.effect.each<[string, string, number, RegExp]>([
    ["a 404 page", "<h1>Not found</h1>", 404, /answered 404/],
    ["a page that says 200", "<h1>Hello</h1>", 200, /not a picture/],
    ["nothing", "", 200, /not a picture/]
  ])("saves no file for %s", ([, body, status, reason]) =>
    withDisk((fs, directory) =>
      Effect.gen(function* () {
        const image = { index: 0, url: "https://a/1" }
        const error = yield* Effect.flip(
          ImageFile.save(image, { directory, name: "cat" }).pipe(answering(body, status))
        )
        expect(error).toMatchObject({ _tag: "DownloadError", url: "https://a/1" })
        expect(error.message).toMatch(reason)
        expect(yield* fs.exists(directory)).toBe(false)
      })
    )
  )

  it.effect("fails by name when the connection is lost", () =>
    withDisk((fs, directory) =>
      Effect.gen(function* () {
        const image = yield* aPicture
        const emulator = yield* ArtaEmulator.ArtaEmulator
        yield* emulator.inject(Fault.drop("image"))
        const error = yield* Effect.flip(ImageFile.save(image, { directory, name: "cat" }))
        expect(error).toMatchObject({ _tag: "DownloadError", url: image.url })
        yield* ImageFile.save(image, { directory, name: "cat" })
        expect(yield* fs.readDirectory(directory)).toEqual(["cat.png"])
      })
    )
  )

  it.effect("says why a picture cannot be written", () =>
    withDisk((fs, directory) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(directory, "in the way")
        const error = yield* Effect.flip(ImageFile.save(yield* aPicture, { directory, name: "cat" }))
        expect(error._tag).toBe("DownloadError")
        expect(error.message).toContain(directory)
      })
    )
  )
})
