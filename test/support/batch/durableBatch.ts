import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import type { Scope } from "effect"
import { Effect, Layer, Schedule, Stream } from "effect"
import { BatchDatabase, DurableBatch, ImageSink } from "effect-arta/batch"
import { ArtaEmulator } from "effect-arta/testing"
import { counts } from "../withEmulator.js"
import type { TestDatabase } from "./databases.js"

export const rowsOf = (...prompts: ReadonlyArray<string>) =>
  prompts.map((prompt) => ({ options: { prompt }, name: prompt.replaceAll(" ", "-") }))

/** The batches of a database, and a ledger with an owner of its own: what a process has. */
const process = ({ open }: TestDatabase, options: DurableBatch.Options = {}) =>
  Layer.fresh(DurableBatch.layer(options)).pipe(
    Layer.provide(Layer.provide(Layer.fresh(BatchDatabase.layer()), open)),
    Layer.orDie
  )

/** A new directory, and a sink that saves to it. */
const imageDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  return {
    directory,
    files: Effect.map(fs.readDirectory(directory), (names) => [...names].sort()),
    sink: Layer.provide(ImageSink.layerDirectory(directory), NodeContext.layer)
  }
}).pipe(Effect.provide(NodeContext.layer))

export const emulate = (options: ArtaEmulator.Options = {}) =>
  Effect.provide(ArtaEmulator.layerArta({ imageSize: 64, queueTime: 0, drawTime: 0, ...options }))

export const submissions = Effect.map(counts, ({ submit }) => submit)

/** Waits until an effect returns true. */
export const until = <E, R>(condition: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(condition, { until: (holds) => holds, schedule: Schedule.spaced("20 millis") })

export const outcomes = (batch: string) =>
  Effect.map(Stream.runCollect(DurableBatch.results(batch)), (results) =>
    [...results].sort((a, b) => a.row - b.row).map(({ outcome }) => outcome)
  )

export const tags = (batch: string) => Effect.map(outcomes(batch), (all) => all.map(({ _tag }) => _tag))

/** A new database, and a directory for the images. */
export const makeWorld = (open: Effect.Effect<TestDatabase, never, Scope.Scope>) =>
  Effect.gen(function* () {
    const database = yield* open
    const images = yield* imageDirectory
    /** Runs an effect as a process of its own. */
    const asProcess = (options: DurableBatch.Options = {}, sink = images.sink) =>
      Effect.provide(Layer.merge(process(database, options), sink))
    return { ...images, asProcess, change: database.query }
  })
