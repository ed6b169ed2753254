import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { BatchDatabase, DurableBatch, ImageSink, SubmissionLedger } from "effect-arta/batch"
import type { TestDatabase } from "./databases.js"

export const rowsOf = (...prompts: ReadonlyArray<string>) =>
  prompts.map((prompt) => ({ options: { prompt }, name: prompt.replaceAll(" ", "-") }))

/** The batches of a database, and a ledger with an owner of its own: what a process has. */
export const process = ({ open }: TestDatabase, options: DurableBatch.Options = {}) =>
  Layer.fresh(Layer.merge(DurableBatch.layer(options), SubmissionLedger.layerSql())).pipe(
    Layer.provide(Layer.provide(Layer.fresh(BatchDatabase.layer()), open)),
    Layer.orDie
  )

/** A new directory, and a sink that saves to it. */
export const imageDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  return {
    directory,
    files: Effect.map(fs.readDirectory(directory), (names) => [...names].sort()),
    sink: Layer.provide(ImageSink.layerDirectory(directory), NodeContext.layer)
  }
}).pipe(Effect.provide(NodeContext.layer))
