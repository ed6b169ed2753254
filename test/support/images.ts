import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer, Logger } from "effect"
import { encode } from "fast-png"
import type { Details } from "../../src/cli/command/gallery/writeGallery.js"
import { writeGallery } from "../../src/cli/command/gallery/writeGallery.js"

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

/** Writes the gallery of a directory and returns its HTML. */
export const galleryOf = (directory: string, details: Readonly<Record<string, Details>> = {}) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* fs.readFileString(yield* writeGallery(directory, new Map(Object.entries(details))))
  })

/** Writes images and their gallery to a directory, and returns the path of the page. */
export const galleryIn = (
  directory: string,
  images: Readonly<Record<string, { readonly bytes: Uint8Array; readonly details: Details }>>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const entries = Object.entries(images)
    yield* Effect.forEach(entries, ([name, { bytes }]) => fs.writeFile(`${directory}/${name}`, bytes))
    return yield* writeGallery(directory, new Map(entries.map(([name, { details }]) => [name, details])))
  }).pipe(Effect.provide(NodeContext.layer))
