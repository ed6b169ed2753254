import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Random } from "effect"
import { Arta, ArtaApi, Generation } from "effect-arta"
import { ImageSink } from "effect-arta/batch"
import { ArtaEmulator } from "effect-arta/testing"
import { failing } from "../support/failingDisk.js"
import { jpeg, png, webp } from "../support/imageFiles.js"

const dataUrl = (bytes: Uint8Array) => `data:image/png;base64,${Buffer.from(bytes).toString("base64")}`

/** A generation whose images have these bytes, or no URL that works. */
const generationOf = (...images: readonly [Uint8Array | "gone", ...ReadonlyArray<Uint8Array | "gone">]) => {
  const [first, ...others] = images.map((bytes, index) => ({
    index,
    url: bytes === "gone" ? "data:image/png;base64,AAAA" : dataUrl(bytes)
  }))
  return {
    recordId: Generation.RecordId.make("record-1"),
    images: [first ?? { index: 0, url: "" }, ...others] satisfies Generation.Generation["images"]
  }
}

const platform = Layer.merge(ArtaEmulator.layer({ imageSize: 64 }), NodeContext.layer)

const api = Layer.succeed(ArtaApi.ArtaApi, {
  submit: () => Effect.dieMessage("No submissions."),
  status: () => Effect.dieMessage("No polls.")
})

const save = (generation: Parameters<ImageSink.Service["save"]>[0], name = "fox") =>
  Effect.flatMap(ImageSink.ImageSink, (sink) => sink.save(generation, { name }))

/** A sink on a new directory, with the names of its files. */
const directorySink = (options?: ImageSink.Options) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = `${yield* fs.makeTempDirectoryScoped()}/images`
    const on = (disk: FileSystem.FileSystem) =>
      Effect.provide(
        ImageSink.layerDirectory(directory, options).pipe(Layer.provide(Layer.succeed(FileSystem.FileSystem, disk)))
      )
    const file = (name: string) => `${directory}/${name}`
    return {
      fs,
      on,
      file,
      sink: on(fs),
      files: Effect.map(fs.readDirectory(directory), (names) => [...names].sort()),
      contents: (name: string) => Effect.map(fs.readFile(file(name)), (bytes) => new Uint8Array(bytes)),
      write: (name: string, bytes: Uint8Array) =>
        Effect.zipRight(fs.makeDirectory(directory, { recursive: true }), fs.writeFile(file(name), bytes))
    }
  })

const inDirectory = Effect.provide(Layer.merge(platform, api))

describe("ImageSink.layerDirectory", () => {
  it.scopedLive("saves images under stable names, in their format, and none of them twice", () =>
    Effect.gen(function* () {
      const { file, files, sink } = yield* directorySink()
      const generation = generationOf(png, jpeg, webp)
      const saved = yield* sink(save(generation))
      expect(saved).toEqual([
        { index: 0, location: file("fox-0.png") },
        { index: 1, location: file("fox-1.jpg") },
        { index: 2, location: file("fox-2.webp") }
      ])
      expect(yield* sink(save(generation))).toEqual(saved)
      expect(yield* files).toEqual(["fox-0.png", "fox-1.jpg", "fox-2.webp"])
    }).pipe(inDirectory)
  )

  // fault: Batch database | A runner was killed while it saved an image | the image is replaced by a complete one
  it.scopedLive("replaces an incomplete image, and keeps a complete one whose URL has expired", () =>
    Effect.gen(function* () {
      const { contents, files, sink, write } = yield* directorySink()
      yield* write("fox-0.png", png.subarray(0, png.length / 2))
      yield* write("fox-1.png", png)
      yield* sink(save(generationOf(png, "gone")))
      expect(yield* contents("fox-0.png")).toEqual(new Uint8Array(png))
      expect(yield* files).toEqual(["fox-0.png", "fox-1.png"])
      const error = yield* Effect.flip(sink(save(generationOf(png, png, "gone"))))
      expect(error).toMatchObject({ _tag: "DownloadError", recordId: "record-1" })
    }).pipe(inDirectory)
  )

  // fault: Batch database | The image of a row cannot be downloaded, and an earlier one has its name | an error, and not the earlier image
  it.scopedLive("takes no image of an earlier generation for one that cannot be downloaded", () =>
    Effect.gen(function* () {
      const { file, sink, write } = yield* directorySink()
      yield* write("fox-0.png", png)
      const saveSince = (since: DateTime.Utc) =>
        Effect.flatMap(ImageSink.ImageSink, (sink) => sink.save(generationOf("gone"), { name: "fox", since }))
      const now = yield* DateTime.now
      const error = yield* Effect.flip(sink(saveSince(DateTime.add(now, { minutes: 1 }))))
      expect(error).toMatchObject({ _tag: "DownloadError", recordId: "record-1" })
      const saved = yield* sink(saveSince(DateTime.subtract(now, { minutes: 1 })))
      expect(saved).toEqual([{ index: 0, location: file("fox-0.png") }])
    }).pipe(inDirectory)
  )

  it.scopedLive("never overwrites another image of the same name", () =>
    Effect.gen(function* () {
      const { contents, file, files, sink, write } = yield* directorySink()
      const other = new Uint8Array([...png, 0])
      yield* write("fox-0.png", other)
      const saved = yield* sink(save(generationOf(png)))
      expect(saved).toEqual([{ index: 0, location: file("fox-0-2.png") }])
      expect(yield* sink(save(generationOf(png)))).toEqual(saved)
      expect(yield* contents("fox-0.png")).toEqual(other)
      expect(yield* files).toEqual(["fox-0-2.png", "fox-0.png"])
    }).pipe(inDirectory)
  )

  it.scopedLive.each(["a file system with links", "one without"] as const)(
    "keeps one complete image when many save it at once: %s",
    (kind) =>
      Effect.gen(function* () {
        const { contents, files, fs, on } = yield* directorySink()
        const disk = kind === "one without" ? failing(fs, { on: ["link"], failure: "permission denied" }) : fs
        yield* Effect.replicateEffect(on(disk)(save(generationOf(png, jpeg))), 8, { concurrency: 8 })
        expect(yield* files).toEqual(["fox-0.png", "fox-1.jpg"])
        expect(yield* contents("fox-0.png")).toEqual(new Uint8Array(png))
        expect(yield* contents("fox-1.jpg")).toEqual(new Uint8Array(jpeg))
      }).pipe(inDirectory)
  )

  // fault: Batch database | The disk is full | the error says where and why, and names the generation; nothing incomplete stays
  it.scopedLive.each(["open", "write", "sync"] as const)(
    "reports a disk that fails on %s, and leaves nothing behind",
    (step) =>
      Effect.gen(function* () {
        const { files, fs, on } = yield* directorySink()
        const error = yield* Effect.flip(
          on(failing(fs, { on: [step], failure: "no space left" }))(save(generationOf(png)))
        )
        expect(error).toMatchObject({
          _tag: "SinkError",
          recordId: "record-1",
          reason: "ENOSPC: no space left on device"
        })
        expect(error.message).toMatch(/Correct that, then start the runner again/)
        expect(yield* files).toEqual([])
      }).pipe(inDirectory)
  )

  it.scopedLive("adds the metadata if that is wanted, and adopts such an image again", () =>
    Effect.gen(function* () {
      const { contents, files, sink } = yield* directorySink({ metadata: "full" })
      const generation = yield* Arta.run({ prompt: "a fox in the snow" })
      yield* sink(Effect.zipRight(save(generation), save(generation)))
      expect(Buffer.from(yield* contents("fox-0.png")).toString("latin1")).toContain("a fox in the snow")
      expect(yield* files).toEqual(["fox-0.png"])
    }).pipe(
      Effect.withRandom(Random.make("images")),
      Effect.provide([ArtaEmulator.layerArta({ imageSize: 64, queueTime: 0, drawTime: 0 }), NodeContext.layer])
    )
  )
})

interface FakeObject {
  readonly Metadata: Readonly<Record<string, string>>
  readonly Body: Uint8Array
}

const refusal = (httpStatusCode: number) => Object.assign(new Error("Refused"), { $metadata: { httpStatusCode } })

/** A bucket with conditional writes, and the responses that it gives to requests instead. */
const fakeBucket = (responses: { readonly head?: number; readonly conditional?: number } = {}) => {
  const objects = new Map<string, FakeObject>()
  const client: ImageSink.S3Options["client"] = {
    headObject: ({ Key }) => {
      const found = objects.get(Key)
      if (responses.head !== undefined) return Promise.reject(refusal(responses.head))
      return found === undefined ? Promise.reject(refusal(404)) : Promise.resolve(found)
    },
    putObject: ({ Body, IfNoneMatch, Key, Metadata }) => {
      if (IfNoneMatch !== undefined && responses.conditional !== undefined) {
        return Promise.reject(refusal(responses.conditional))
      }
      if (IfNoneMatch !== undefined && objects.has(Key)) return Promise.reject(refusal(412))
      objects.set(Key, { Body, Metadata })
      return Promise.resolve({})
    }
  }
  return { client, keys: Effect.sync(() => [...objects.keys()].sort()) }
}

describe("ImageSink.layerS3", () => {
  it.scopedLive("keeps one object when many save an image at once", () =>
    Effect.gen(function* () {
      const { client, keys } = fakeBucket()
      const saves = Effect.replicateEffect(save(generationOf(png)), 8, { concurrency: 8 })
      const saved = yield* Effect.provide(saves, ImageSink.layerS3({ bucket: "images", client }))
      expect(new Set(saved.flat().map(({ location }) => location))).toEqual(new Set(["s3://images/fox-0.png"]))
      expect(yield* keys).toEqual(["fox-0.png"])
    }).pipe(inDirectory)
  )

  it.scopedLive("keeps an image whose URL has expired, but none of another generation", () =>
    Effect.gen(function* () {
      const { client } = fakeBucket()
      yield* Effect.gen(function* () {
        const [saved] = yield* save(generationOf(png))
        expect(yield* save(generationOf("gone"))).toEqual([saved])
        const other = { ...generationOf("gone"), recordId: Generation.RecordId.make("record-2") }
        expect(yield* Effect.flip(save(other))).toMatchObject({ _tag: "DownloadError", recordId: "record-2" })
      }).pipe(Effect.provide(ImageSink.layerS3({ bucket: "images", client })))
    }).pipe(inDirectory)
  )

  it.scopedLive("saves where conditional writes are unknown, or missing objects are forbidden", () =>
    Effect.gen(function* () {
      for (const responses of [{ conditional: 501 }, { head: 403 }]) {
        const { client, keys } = fakeBucket(responses)
        yield* Effect.provide(
          save(generationOf(png)),
          ImageSink.layerS3({ bucket: "images", client, prefix: "night/" })
        )
        expect(yield* keys).toEqual(["night/fox-0.png"])
      }
    }).pipe(inDirectory)
  )

  it.scopedLive("reports why an object could not be saved, without the request", () =>
    Effect.gen(function* () {
      const client = { ...fakeBucket().client, putObject: () => Promise.reject(refusal(500)) }
      const error = yield* Effect.flip(
        Effect.provide(save(generationOf(png)), ImageSink.layerS3({ bucket: "images", client }))
      )
      expect(error).toMatchObject({ _tag: "SinkError", location: "s3://images/fox-0.png", reason: "Error: Refused" })
    }).pipe(inDirectory)
  )

  it.scopedLive.each([
    { prefix: "", key: "fox-0.png" },
    { prefix: "night", key: "night/fox-0.png" },
    { prefix: "night/", key: "night/fox-0.png" }
  ])("saves under the prefix $prefix", ({ key, prefix }) =>
    Effect.gen(function* () {
      const { client, keys } = fakeBucket()
      yield* Effect.provide(save(generationOf(png)), ImageSink.layerS3({ bucket: "images", client, prefix }))
      expect(yield* keys).toEqual([key])
    }).pipe(inDirectory)
  )

  it.scopedLive.each([409, 412])("takes another name if another generation is faster, with HTTP %d", (status) =>
    Effect.gen(function* () {
      const { client, keys } = fakeBucket()
      // The object of another program appears between the two requests.
      const late: ImageSink.S3Options["client"] = {
        headObject: (input, options) =>
          input.Key === "fox-0.png" ? Promise.reject(refusal(404)) : client.headObject(input, options),
        putObject: (input, options) =>
          input.Key === "fox-0.png" ? Promise.reject(refusal(status)) : client.putObject(input, options)
      }
      const [saved] = yield* Effect.provide(
        save(generationOf(png)),
        ImageSink.layerS3({ bucket: "images", client: late })
      )
      expect(saved?.location).toBe("s3://images/fox-0-2.png")
      expect(yield* keys).toEqual(["fox-0-2.png"])
    }).pipe(inDirectory)
  )

  it.scopedLive("takes no object without the name of its generation for an image of its own", () =>
    Effect.gen(function* () {
      const { client, keys } = fakeBucket()
      const foreign: ImageSink.S3Options["client"] = {
        ...client,
        headObject: (input, options) =>
          input.Key === "fox-0.png" ? Promise.resolve({}) : client.headObject(input, options)
      }
      yield* Effect.provide(save(generationOf(png)), ImageSink.layerS3({ bucket: "images", client: foreign }))
      expect(yield* keys).toEqual(["fox-0-2.png"])
    }).pipe(inDirectory)
  )

  it.scopedLive.each<[string, unknown, string]>([
    ["an error", Object.assign(new Error("Slow\r\ndown\u001b"), { name: "SlowDown" }), "SlowDown: Slow down "],
    ["a long error", new Error("x".repeat(1_000)), `Error: ${"x".repeat(193)}`],
    ["a text", "no", "no reason given"],
    ["nothing", undefined, "no reason given"],
    ["HTTP 500", refusal(500), "Error: Refused"]
  ])("reports a bucket that responds with %s", ([, failure, reason]) =>
    Effect.gen(function* () {
      const client: ImageSink.S3Options["client"] = {
        ...fakeBucket().client,
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as another client may
        headObject: () => Promise.reject(failure)
      }
      const layer = ImageSink.layerS3({ bucket: "images", client })
      expect(yield* Effect.flip(Effect.provide(save(generationOf(png)), layer))).toMatchObject({
        _tag: "SinkError",
        reason
      })
      // It may have an image that cannot be downloaded any more, or not.
      expect(yield* Effect.flip(Effect.provide(save(generationOf("gone")), layer))).toMatchObject({
        _tag: "DownloadError"
      })
    }).pipe(inDirectory)
  )
})
