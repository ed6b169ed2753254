import { describe, expect, it } from "@effect/vitest"
import { Array, Chunk, Effect, Layer, Ref, Stream } from "effect"
import { DurableBatch, ImageSink } from "effect-arta/batch"
import { ArtaEmulator } from "effect-arta/testing"
import { sqliteFile } from "../support/batch/databases.js"
import { imageDirectory, process, rowsOf } from "../support/batch/durableBatch.js"
import { counts } from "../support/withEmulator.js"

const emulator = ArtaEmulator.layerArta({ imageSize: 64, queueTime: 0, drawTime: 0 })

describe("DurableBatch", () => {
  it.scopedLive("runs the rows of a batch and saves their images", () =>
    Effect.gen(function* () {
      const database = yield* sqliteFile
      const { files, sink } = yield* imageDirectory
      yield* Effect.gen(function* () {
        const { batch, ...enqueued } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare", "an owl"))
        expect(enqueued).toEqual({ added: 3, existing: 0 })
        yield* DurableBatch.runUntilDone(batch)
        const results = Chunk.toReadonlyArray(yield* Stream.runCollect(DurableBatch.results(batch)))
        expect(results.map(({ outcome }) => outcome._tag)).toEqual(["Saved", "Saved", "Saved"])
        expect((yield* DurableBatch.status(batch)).rows).toMatchObject({ queued: 0, running: 0, saved: 3 })
        expect((yield* counts).submit).toBe(3)
        expect(yield* files).toEqual(["a-fox-0.png", "a-hare-0.png", "an-owl-0.png"])
      }).pipe(Effect.provide(process(database)), Effect.provide(sink), Effect.provide(emulator))
    })
  )

  it.scopedLive("notes the settings of a new batch, and tells the sink whose images it saves", () =>
    Effect.gen(function* () {
      const database = yield* sqliteFile
      const saved = yield* Ref.make<ReadonlyArray<string | undefined>>([])
      const sink = Layer.succeed(ImageSink.ImageSink, {
        save: (_, { batch }) => Effect.as(Ref.update(saved, Array.append(batch)), [])
      })
      yield* Effect.gen(function* () {
        const rows = rowsOf("a fox")
        yield* DurableBatch.enqueue(rows, { batch: "animals", settings: { directory: "/a" } })
        yield* DurableBatch.enqueue(rows, { batch: "animals", settings: { directory: "/b" } })
        yield* DurableBatch.enqueue(rows, { batch: "others" })
        yield* DurableBatch.runUntilDone("animals")
        expect(yield* saved).toEqual(["animals"])
        const settings = (yield* DurableBatch.batches).map(({ batch, settings }) => [batch, settings])
        expect(Object.fromEntries(settings)).toEqual({ animals: { directory: "/a" }, others: {} })
      }).pipe(Effect.provide(process(database)), Effect.provide(sink), Effect.provide(emulator))
    })
  )
})
