import { S3 } from "@aws-sdk/client-s3"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { ArtaApi, Generation } from "effect-arta"
import { ImageSink } from "effect-arta/batch"
import { ArtaEmulator } from "effect-arta/testing"
import { createRequire } from "node:module"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { jpeg, png } from "../support/imageFiles.js"
import { installed } from "../support/installed.js"

interface S3rver {
  readonly run: () => Promise<{ readonly port: number }>
  readonly close: () => Promise<void>
}

type S3rverClass = new (options: object) => S3rver

/** A server that speaks S3, from npm, with the bucket `images`. It knows no conditional writes. */
const startServer = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-arta-s3-"))),
    (path) =>
      Effect.sync(() => {
        rmSync(path, { recursive: true, force: true })
      })
  )
  // The package has no types.
  const Server = createRequire(join(installed("s3rver", "3.7.1"), "/"))("s3rver") as S3rverClass
  const options = { port: 0, address: "127.0.0.1", silent: true, directory, configureBuckets: [{ name: "images" }] }
  const server = new Server(options)
  const { port } = yield* Effect.acquireRelease(
    Effect.promise(() => server.run()),
    () => Effect.promise(() => server.close())
  )
  return new S3({
    endpoint: `http://127.0.0.1:${String(port)}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" }
  })
})

const generationOf = (id: string, ...bytes: ReadonlyArray<Uint8Array>) => {
  const [first = { index: 0, url: "" }, ...others] = bytes.map((content, index) => ({
    index,
    url: `data:image/png;base64,${Buffer.from(content).toString("base64")}`
  }))
  return {
    recordId: Generation.RecordId.make(id),
    images: [first, ...others] satisfies Generation.Generation["images"]
  }
}

const save = (generation: ReturnType<typeof generationOf>) =>
  Effect.flatMap(ImageSink.ImageSink, (sink) => sink.save(generation, { name: "fox" }))

const services = Layer.merge(
  ArtaEmulator.layer(),
  Layer.succeed(ArtaApi.ArtaApi, {
    submit: () => Effect.dieMessage("No submissions."),
    status: () => Effect.dieMessage("No polls.")
  })
)

describe("ImageSink.layerS3 with an S3-compatible server", { timeout: 120_000 }, () => {
  it.scopedLive("saves each image once, and overwrites none of another generation", () =>
    Effect.gen(function* () {
      const client = yield* startServer
      const keys = Effect.map(
        Effect.promise(() => client.listObjectsV2({ Bucket: "images" })),
        ({ Contents = [] }) => Contents.map(({ Key }) => Key)
      )
      yield* Effect.gen(function* () {
        const first = generationOf("record/ü 1", png, jpeg)
        const saved = yield* save(first)
        expect(saved).toEqual([
          { index: 0, location: "s3://images/night/fox-0.png" },
          { index: 1, location: "s3://images/night/fox-1.jpg" }
        ])
        expect(yield* Effect.replicateEffect(save(first), 4, { concurrency: 4 })).toEqual([saved, saved, saved, saved])
        expect(yield* keys).toEqual(["night/fox-0.png", "night/fox-1.jpg"])

        const [other] = yield* save(generationOf("record-2", png))
        expect(other?.location).toBe("s3://images/night/fox-0-2.png")
        const object = yield* Effect.promise(() => client.getObject({ Bucket: "images", Key: "night/fox-1.jpg" }))
        expect(object.ContentType).toBe("image/jpeg")
        expect(yield* Effect.promise(async () => object.Body?.transformToByteArray())).toEqual(new Uint8Array(jpeg))
      }).pipe(Effect.provide(ImageSink.layerS3({ bucket: "images", prefix: "night", client })))
    }).pipe(Effect.provide(services))
  )

  // fault: Batch database | The bucket does not exist | the error says so, and names the generation
  it.scopedLive("reports a bucket that does not exist", () =>
    Effect.gen(function* () {
      const client = yield* startServer
      const error = yield* save(generationOf("record-1", png)).pipe(
        Effect.provide(ImageSink.layerS3({ bucket: "none", client })),
        Effect.flip
      )
      expect(error).toMatchObject({ _tag: "SinkError", location: "s3://none/fox-0.png", recordId: "record-1" })
      expect(error.message).toContain("NoSuchBucket: The specified bucket does not exist")
    }).pipe(Effect.provide(services))
  )
})
