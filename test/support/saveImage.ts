import { FileSystem, HttpClient } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { ArtaApi, GenerateRequest, Generation, ImageFile } from "effect-arta"
import { expect } from "vitest"

const recordId = Generation.RecordId.make("record-1")

export const request = (options: Partial<GenerateRequest.GenerateRequest> = {}) =>
  new GenerateRequest.GenerateRequest({ prompt: "灯台 🗼", negativePrompt: "a 'b' & <c>", seed: 7, ...options })

interface Given {
  readonly request?: GenerateRequest.GenerateRequest
  readonly metadata?: "full" | "none"
}

/** Saves an image and returns the bytes of its file. */
export const saveWith = (bytes: Uint8Array, { metadata, ...known }: Given) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const url = `data:;base64,${Buffer.from(bytes).toString("base64")}`
    const results = yield* ImageFile.save({ recordId, images: [{ index: 0, url }], ...known }, { directory, metadata })
    const [path = "nothing saved"] = yield* Effect.all(results.map(({ result }) => result))
    expect(yield* fs.readDirectory(directory)).toHaveLength(1)
    return new Uint8Array(yield* fs.readFile(path))
  }).pipe(Effect.scoped)

/** Saves an image with full metadata and returns the bytes of its file. */
export const save = (bytes: Uint8Array, options: Partial<GenerateRequest.GenerateRequest> = {}) =>
  saveWith(bytes, { request: request(options), metadata: "full" })

// A `data:` URL needs neither.
const noNetwork = Layer.merge(
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make(() => Effect.dieMessage("No."))
  ),
  Layer.succeed(ArtaApi.ArtaApi, { submit: () => Effect.dieMessage("No."), status: () => Effect.dieMessage("No.") })
)

export const onDisk = Effect.provide(Layer.merge(NodeContext.layer, noNetwork))
