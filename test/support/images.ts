import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer, Logger } from "effect"
import { encode } from "fast-png"
import { writeGalleryFromJournal } from "../../src/cli/command/gallery/writeGallery.js"

export const png = (width: number, height: number): Uint8Array =>
  encode({ width, height, channels: 3, data: new Uint8Array(width * height * 3).fill(90) })

export interface ImageDirectory {
  readonly fs: FileSystem.FileSystem
  readonly directory: string
  readonly warnings: ReadonlyArray<string>
}

/** Runs a test in a new directory with these files, and collects the warnings. */
export const inDirectory = <A, E>(
  files: Readonly<Record<string, Uint8Array | string>>,
  test: (directory: ImageDirectory) => Effect.Effect<A, E, NodeContext.NodeContext>
) => {
  const warnings: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => warnings.push(`${logLevel.label} ${String(message)}`))
  return Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content
      yield* fs.writeFile(`${directory}/${name}`, bytes)
    }
    return yield* test({ fs, directory, warnings })
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(NodeContext.layer, Logger.replace(Logger.defaultLogger, logger))))
}

/** A request of a journal. What it leaves out has its default. */
export interface JournalRequest {
  readonly prompt: string
  readonly model?: string
  readonly seed?: number
  readonly n?: number
  readonly numInferenceSteps?: number
  readonly negativePrompt?: string
  readonly key?: string
}

/** The lines of a journal for requests by the start of their file names. */
const journalOf = (requests: Readonly<Record<string, JournalRequest>>): string =>
  Object.entries(requests)
    .map(([name, { key = name, ...request }]) =>
      JSON.stringify({ _tag: "Submitting", key, request: { seed: 1, ...request }, name })
    )
    .map((line) => `${line}\n`)
    .join("")

/** Writes the gallery of a directory, with a journal of these requests. Returns its HTML. */
export const galleryOf = (directory: string, requests: Readonly<Record<string, JournalRequest>> = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* fs.writeFileString(`${directory}/effect-arta.jsonl`, journalOf(requests))
    return yield* fs.readFileString(yield* writeGalleryFromJournal(directory))
  })

/** Writes images and their gallery to a directory, and returns the path of the page. */
export const galleryIn = (
  directory: string,
  images: Readonly<Record<string, Uint8Array>>,
  requests: Readonly<Record<string, JournalRequest>>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* Effect.forEach(Object.entries(images), ([name, bytes]) => fs.writeFile(`${directory}/${name}`, bytes))
    yield* galleryOf(directory, requests)
    return `${directory}/index.html`
  }).pipe(Effect.provide(NodeContext.layer))
