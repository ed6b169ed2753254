// npx vitest run examples/durable-batch.test.ts
//
// A batch in a SQLite file that two runners work through together. One of them is stopped in the middle: the other
// resumes its generations, and none of them is submitted twice. The image service is the emulator here. In production,
// provide `NodeArta.layerConfig()` instead, and start the runners on as many machines as you like with
// `PgClient.layer`.
import { NodeContext } from "@effect/platform-node"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Schedule, Stream } from "effect"
import { BatchDatabase, DurableBatch, ImageSink } from "effect-arta/batch"
import { ArtaEmulator } from "effect-arta/testing"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const directory = mkdtempSync(join(tmpdir(), "effect-arta-"))

/** What each process has: a connection, a ledger with its own heartbeat, and a place for the images. */
const process = DurableBatch.layer({ concurrency: 4 }).pipe(
  Layer.provide(BatchDatabase.layer()),
  Layer.provide(SqliteClient.layer({ filename: join(directory, "images.sqlite") })),
  Layer.merge(Layer.provide(ImageSink.layerDirectory(join(directory, "images")), NodeContext.layer)),
  Layer.fresh
)

const animals = ["a fox", "a hare", "an owl", "a crow", "a badger", "a deer"]

const program = Effect.gen(function* () {
  const emulator = yield* ArtaEmulator.ArtaEmulator
  const submitted = Effect.map(emulator.counts, ({ submit }) => submit)

  const rows = animals.map((prompt) => ({ options: { prompt } }))
  const { batch } = yield* Effect.provide(DurableBatch.enqueue(rows, { batch: "animals" }), process)

  const first = yield* Effect.fork(Effect.provide(DurableBatch.run, process))
  const second = yield* Effect.fork(Effect.provide(DurableBatch.runUntilDone(batch), process))
  yield* Effect.repeat(submitted, { until: (count) => count >= 3, schedule: Schedule.spaced("50 millis") })
  yield* Fiber.interrupt(first)
  yield* Fiber.join(second)

  const saved = yield* DurableBatch.results(batch).pipe(
    Stream.filter(({ outcome }) => outcome._tag === "Saved"),
    Stream.runCount,
    Effect.provide(process)
  )
  return { submitted: yield* submitted, saved }
})

it.live("submits each row of a batch once, although a runner stops", () =>
  Effect.gen(function* () {
    expect(yield* program).toEqual({ submitted: 6, saved: 6 })
  }).pipe(Effect.provide(ArtaEmulator.layerArta({ queueTime: 0, drawTime: "1 second", imageSize: 64 })))
)
