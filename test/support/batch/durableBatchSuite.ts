import { describe, expect, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Array, Chunk, DateTime, Effect, Exit, Fiber, Layer, Ref, Stream } from "effect"
import { ArtaError } from "effect-arta"
import { DurableBatch, ImageSink } from "effect-arta/batch"
import { Fault } from "effect-arta/testing"
import { inject } from "../withEmulator.js"
import type { TestDatabase } from "./databases.js"
import { enqueueSuite } from "./enqueueSuite.js"
import { statusSuite } from "./statusSuite.js"
import { emulate, makeWorld, outcomes, rowsOf, submissions, tags, until } from "./durableBatch.js"

/** What batches do on every database. `open` makes a new, empty one. */
export const durableBatchSuite = (open: Effect.Effect<TestDatabase, never, Scope.Scope>): void => {
  const world = makeWorld(open)

  enqueueSuite(open)
  statusSuite(open)

  describe("DurableBatch", () => {
    it.scopedLive("runs the rows of a batch and saves their images", () =>
      Effect.gen(function* () {
        const { asProcess, directory, files } = yield* world
        yield* Effect.gen(function* () {
          const { batch, ...enqueued } = yield* DurableBatch.enqueue([
            { options: { prompt: "a fox", n: 2 }, name: "fox" },
            { options: { prompt: "a hare", seed: 7 } }
          ])
          expect(enqueued).toEqual({ added: 2, existing: 0 })
          yield* DurableBatch.runUntilDone(batch)
          expect((yield* outcomes(batch))[0]).toMatchObject({
            _tag: "Saved",
            images: [
              { index: 0, location: `${directory}/fox-0.png` },
              { index: 1, location: `${directory}/fox-1.png` }
            ]
          })
          expect(yield* files).toEqual(["00002-a-hare-7-0.png", "fox-0.png", "fox-1.png"])
          const status = yield* DurableBatch.status(batch)
          expect(status.rows).toEqual({ queued: 0, running: 0, saved: 2, failed: 0, unknown: 0, cancelled: 0 })
          expect([status.total, status.open, status.runners.length]).toEqual([2, 0, 1])
          expect((yield* DurableBatch.batches).map((summary) => [summary.batch, summary.rows.saved])).toEqual([
            [batch, 2]
          ])
          expect(yield* submissions).toBe(2)
        }).pipe(asProcess(), emulate())
      })
    )

    it.scopedLive("notes the settings of a new batch, and tells the sink whose images it saves", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        const start = yield* DateTime.now
        const saved = yield* Ref.make<ReadonlyArray<string | undefined>>([])
        const sink = Layer.succeed(ImageSink.ImageSink, {
          save: (_, { batch, since = DateTime.unsafeMake(0) }) =>
            Effect.as(Ref.update(saved, Array.append(DateTime.lessThan(since, start) ? "too old" : batch)), [])
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
        }).pipe(asProcess({}, sink), emulate())
      })
    )

    it.scopedLive("shares the rows of a batch between two processes, and submits each once", () =>
      Effect.gen(function* () {
        const { asProcess, files } = yield* world
        yield* Effect.gen(function* () {
          const prompts = Array.makeBy(12, (index) => `fox ${String(index)}`)
          const { batch } = yield* asProcess()(DurableBatch.enqueue(rowsOf(...prompts)))
          const run = DurableBatch.runUntilDone(batch).pipe(asProcess({ concurrency: 3 }))
          yield* Effect.all([run, run], { concurrency: 2 })
          expect(yield* submissions).toBe(12)
          expect(yield* files).toHaveLength(12)
        }).pipe(emulate({ drawTime: "200 millis" }))
      })
    )

    it.scopedLive("emits results as they come, before the other rows have ended", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare"))
          yield* Effect.forkScoped(DurableBatch.run)
          const open = Effect.map(DurableBatch.status(batch), (status) => status.open)
          const openAtEach = yield* Stream.runCollect(Stream.mapEffect(DurableBatch.results(batch), () => open))
          expect(Chunk.toReadonlyArray(openAtEach)).toEqual([1, 0])
        }).pipe(asProcess({ concurrency: 1 }), emulate({ drawTime: "2 seconds" }))
      })
    )

    // fault: Batch database | A runner stops while generations are in progress | another runner resumes them, and none is submitted again
    it.scopedLive("gives the rows back when it is stopped, and another process resumes them", () =>
      Effect.gen(function* () {
        const { asProcess, files } = yield* world
        yield* Effect.gen(function* () {
          const { batch } = yield* asProcess()(DurableBatch.enqueue(rowsOf("a fox", "a hare", "an owl")))
          const stopped = yield* Effect.fork(asProcess()(DurableBatch.run))
          yield* until(Effect.map(submissions, (count) => count === 3))
          expect(Exit.isInterrupted(yield* Fiber.interrupt(stopped))).toBe(true)
          expect((yield* asProcess()(DurableBatch.status(batch))).rows.queued).toBe(3)
          yield* asProcess()(DurableBatch.runUntilDone(batch))
          expect(yield* submissions).toBe(3)
          expect(yield* files).toHaveLength(3)
        }).pipe(emulate({ drawTime: "1500 millis" }))
      })
    )

    // fault: Batch database | A runner dies after a submission was recorded | another runner resumes the row, and submits nothing
    it.scopedLive("resumes the rows of a process that has died", () =>
      Effect.gen(function* () {
        const { asProcess, change, files } = yield* world
        yield* Effect.gen(function* () {
          const { batch } = yield* asProcess()(DurableBatch.enqueue(rowsOf("a fox")))
          const stopped = yield* Effect.fork(asProcess()(DurableBatch.run))
          yield* until(Effect.map(submissions, (count) => count === 1))
          yield* Fiber.interrupt(stopped)
          yield* change("UPDATE arta_rows SET state = 'running', runner = (SELECT MIN(id) FROM arta_runners)")
          yield* change("UPDATE arta_runners SET stopped_at = 1")
          yield* asProcess()(DurableBatch.runUntilDone(batch))
          expect(yield* submissions).toBe(1)
          expect(yield* files).toEqual(["a-fox-0.png"])
        }).pipe(emulate({ drawTime: "500 millis" }))
      })
    )

    // fault: Batch database | The disk of one runner is full | it stops and says so, and the others save the images
    it.scopedLive("stops when its disk is full, and leaves the rows to the others", () =>
      Effect.gen(function* () {
        const { asProcess, files } = yield* world
        const full = Layer.succeed(ImageSink.ImageSink, {
          save: ({ recordId }) =>
            new ImageSink.SinkError({ location: "images", reason: "ENOSPC: no space left on device", recordId })
        })
        yield* Effect.gen(function* () {
          const { batch } = yield* asProcess()(DurableBatch.enqueue(rowsOf("a fox", "a hare")))
          const error = yield* Effect.flip(asProcess({}, full)(DurableBatch.run))
          expect(error.message).toMatch(/^Could not save the images of the generation .* to images: ENOSPC/)
          expect((yield* asProcess()(DurableBatch.status(batch))).rows.queued).toBe(2)
          yield* asProcess()(DurableBatch.runUntilDone(batch))
          expect(yield* submissions).toBe(2)
          expect(yield* files).toEqual(["a-fox-0.png", "a-hare-0.png"])
        }).pipe(emulate())
      })
    )

    it.scopedLive("cancels the rows that were not submitted, and finishes the others", () =>
      Effect.gen(function* () {
        const { asProcess, files } = yield* world
        yield* Effect.gen(function* () {
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare", "an owl"))
          const runner = yield* Effect.fork(DurableBatch.runUntilDone(batch))
          yield* until(Effect.map(submissions, (count) => count === 1))
          expect(yield* DurableBatch.cancel(batch)).toBe(2)
          yield* Fiber.join(runner)
          expect(yield* tags(batch)).toEqual(["Saved", "Cancelled", "Cancelled"])
          expect(yield* DurableBatch.cancel(batch)).toBe(0)
          expect(yield* submissions).toBe(1)
          expect(yield* files).toEqual(["a-fox-0.png"])
        }).pipe(asProcess({ concurrency: 1 }), emulate({ drawTime: "500 millis" }))
      })
    )
  })

  describe("A cancelled batch", () => {
    // fault: Batch database | A batch is cancelled while rows are enqueued or given back | none of them is submitted
    it.scopedLive("submits no row that was queued while it was cancelled", () =>
      Effect.gen(function* () {
        const { asProcess, change } = yield* world
        yield* Effect.gen(function* () {
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare"))
          yield* change("UPDATE arta_batches SET cancelled_at = 1")
          yield* DurableBatch.runUntilDone(batch)
          expect(yield* tags(batch)).toEqual(["Cancelled", "Cancelled"])
          expect(yield* submissions).toBe(0)
        }).pipe(asProcess(), emulate())
      })
    )
  })

  describe("An unknown row", () => {
    // fault: Batch database | The connection is lost after a submission was sent | the row is unknown, and is sent again only on request
    it.scopedLive("is sent again only by retryUnknown", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          yield* inject(Fault.drop("submit", { handled: true }))
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox"))
          yield* DurableBatch.runUntilDone(batch)
          yield* DurableBatch.runUntilDone(batch)
          expect(yield* tags(batch)).toEqual(["Unknown"])
          expect((yield* DurableBatch.status(batch)).failures).toMatchObject([
            { row: 1, error: "SubmissionUnknownError" }
          ])
          expect(yield* submissions).toBe(1)
          expect(yield* DurableBatch.retryUnknown(batch)).toBe(1)
          yield* DurableBatch.runUntilDone(batch)
          expect(yield* tags(batch)).toEqual(["Saved"])
          expect(yield* DurableBatch.retryUnknown(batch)).toBe(0)
          expect(yield* submissions).toBe(2)
        }).pipe(asProcess(), emulate())
      })
    )

    // fault: Batch database | A submission is recorded after it was declared unknown | the row is resumed, and is not sent again
    it.scopedLive("is resumed once its submission is recorded after all", () =>
      Effect.gen(function* () {
        const { asProcess, change, files } = yield* world
        yield* Effect.gen(function* () {
          yield* inject(Fault.drop("submit", { handled: true }))
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox"))
          yield* DurableBatch.runUntilDone(batch)
          const { batch: other } = yield* DurableBatch.enqueue(rowsOf("a hare"))
          yield* DurableBatch.runUntilDone(other)
          const found = `SELECT record_id FROM arta_submissions WHERE key = '${other}/1'`
          yield* change(
            `UPDATE arta_submissions SET state = 'recorded', record_id = (${found}) WHERE key = '${batch}/1'`
          )
          yield* Effect.forkScoped(DurableBatch.run)
          yield* until(Effect.map(DurableBatch.status(batch), ({ rows }) => rows.saved === 1))
          expect(yield* submissions).toBe(2)
          expect(yield* files).toEqual(["a-fox-0.png", "a-hare-0.png"])
        }).pipe(asProcess(), emulate())
      })
    )
  })

  describe("A refusal", () => {
    // fault: Batch database | The service refuses three rows in a row for the same reason | the runner stops, and no row has failed
    it.scopedLive("of three rows in a row stops the runner, and the rows stay queued", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          const refusal = Fault.respond("submit", 403, { body: { detail: "The account is blocked" } })
          yield* inject(refusal, refusal, refusal)
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare", "an owl", "a crow"))
          const error = yield* Effect.flip(DurableBatch.runUntilDone(batch))
          expect(error).toMatchObject({ _tag: "RowsRefusedError", rows: 3 })
          expect((yield* DurableBatch.status(batch)).rows).toMatchObject({ queued: 4, failed: 0 })
        }).pipe(asProcess({ concurrency: 1 }), emulate())
      })
    )

    it.scopedLive("of one row fails that row", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          yield* inject(Fault.respond("submit", 400, { body: { detail: "The prompt is not allowed" } }))
          yield* inject(Fault.failGeneration("FAILED", "NSFW content"))
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare", "an owl"))
          yield* DurableBatch.runUntilDone(batch)
          const [refused, failed, saved] = yield* outcomes(batch)
          expect(refused).toMatchObject({ _tag: "Failed", error: { _tag: "ResponseError", status: 400 } })
          expect(failed).toMatchObject({
            _tag: "Failed",
            error: { _tag: "GenerationFailedError", detail: "NSFW content" }
          })
          expect(saved).toMatchObject({ _tag: "Saved", missing: 0 })
          const { failures } = yield* DurableBatch.status(batch)
          expect(failures.map(({ name }) => name)).toEqual(expect.arrayContaining(["a-fox", "a-hare"]))
        }).pipe(asProcess({ concurrency: 1 }), emulate())
      })
    )

    // fault: Batch database | The API key is wrong | the runner stops with that error, and no row has failed
    it.scopedLive("of the API key stops the runner", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          yield* inject(Fault.identityError("signUp", "API key not valid. Please pass a valid API key."))
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox"))
          const error = yield* Effect.flip(DurableBatch.runUntilDone(batch))
          expect(error).toBeInstanceOf(ArtaError.AuthError)
          expect((yield* DurableBatch.status(batch)).rows.queued).toBe(1)
        }).pipe(asProcess(), emulate())
      })
    )
  })
}
