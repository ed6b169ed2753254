import { describe, expect, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Array, Chunk, Deferred, Duration, Effect, Fiber, Option, Stream } from "effect"
import { DurableBatch } from "effect-arta/batch"
import { Fault } from "effect-arta/testing"
import { inject } from "../withEmulator.js"
import type { TestDatabase } from "./databases.js"
import { emulate, makeWorld, outcomes, rowsOf, submissions, until } from "./durableBatch.js"

const saved = '{"_tag":"Saved","recordId":"rec","images":[],"missing":0}'
const cancelled = '{"_tag":"Cancelled"}'

/** What is read of batches, on every database. `open` makes a new, empty one. */
export const statusSuite = (open: Effect.Effect<TestDatabase, never, Scope.Scope>): void => {
  const world = makeWorld(open)

  describe("DurableBatch.status", () => {
    it.scopedLive("knows how fast the rows end, and how long the others take", () =>
      Effect.gen(function* () {
        const { asProcess, change } = yield* world
        yield* Effect.gen(function* () {
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare", "an owl", "a heron", "a bee"))
          expect(yield* DurableBatch.status(batch)).toMatchObject({ open: 5, rate: 0, timeLeft: Option.none() })
          const tenSecondsAgo = String(Date.now() - 10_000)
          yield* change(
            `UPDATE arta_rows SET state = 'saved', outcome = '${saved}', sort_at = ${tenSecondsAgo} WHERE row <= 2`
          )
          yield* change("UPDATE arta_rows SET state = 'running' WHERE row = 3")
          const { rate, timeLeft } = yield* DurableBatch.status(batch)
          expect(rate).toBeGreaterThan(0.1)
          expect(rate).toBeLessThanOrEqual(0.2)
          expect(Duration.toSeconds(Option.getOrThrow(timeLeft))).toBeCloseTo(3 / rate)
          yield* change(`UPDATE arta_rows SET state = 'saved', outcome = '${saved}', sort_at = ${tenSecondsAgo}`)
          expect((yield* DurableBatch.status(batch)).timeLeft).toEqual(Option.none())
          yield* change("UPDATE arta_rows SET sort_at = 1")
          expect((yield* DurableBatch.status(batch)).rate).toBe(0)
        }).pipe(asProcess(), emulate())
      })
    )

    it.scopedLive("has no settings of a batch whose settings cannot be read", () =>
      Effect.gen(function* () {
        const { asProcess, change } = yield* world
        yield* Effect.gen(function* () {
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox"), { settings: { directory: "/a" } })
          yield* change("UPDATE arta_batches SET settings = 'of another program'")
          expect((yield* DurableBatch.batches)[0]).toMatchObject({ batch, settings: {} })
          expect((yield* Effect.flip(DurableBatch.status("night"))).message).toBe(
            'There is no batch "night" in this database.'
          )
          expect((yield* Effect.flip(DurableBatch.cancel("night")))._tag).toBe("BatchNotFoundError")
        }).pipe(asProcess(), emulate())
      })
    )
  })

  describe("DurableBatch.results", () => {
    it.scopedLive("has each row once, however many there are", () =>
      Effect.gen(function* () {
        const { asProcess, change } = yield* world
        yield* Effect.gen(function* () {
          const prompts = Array.makeBy(1_100, (index) => `fox ${String(index)}`)
          const { batch } = yield* DurableBatch.enqueue(rowsOf(...prompts))
          yield* change(`UPDATE arta_rows SET state = 'cancelled', outcome = '${cancelled}', sort_at = 10000 - row`)
          const rows = yield* Stream.runCollect(Stream.map(DurableBatch.results(batch), ({ row }) => row))
          expect(Chunk.toReadonlyArray(rows)).toEqual(Array.reverse(Array.range(1, 1_100)))
        }).pipe(asProcess(), emulate())
      })
    )

    // fault: Batch database | The outcome of a row is committed long after the outcomes of later rows | its result still comes
    it.scopedLive("has a row whose end became visible late", () =>
      Effect.gen(function* () {
        const { asProcess, change } = yield* world
        yield* Effect.gen(function* () {
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare", "an owl"))
          const end = (rows: string, at: number) =>
            change(
              `UPDATE arta_rows SET state = 'cancelled', outcome = '${cancelled}', sort_at = ${String(at)} WHERE row IN (${rows})`
            )
          yield* end("1, 3", 2_000)
          const both = yield* Deferred.make<undefined>()
          const results = yield* DurableBatch.results(batch).pipe(
            Stream.tap(({ row }) => (row === 3 ? Deferred.succeed(both, undefined) : Effect.void)),
            Stream.runCollect,
            Effect.fork
          )
          yield* Deferred.await(both)
          yield* end("2", 1_000)
          expect([...(yield* Fiber.join(results))].map(({ row }) => row)).toEqual([1, 3, 2])
        }).pipe(asProcess(), emulate())
      })
    )
  })

  describe("A runner", () => {
    it.scopedLive("works on other rows once another runner has taken over one of its own", () =>
      Effect.gen(function* () {
        const { asProcess, change } = yield* world
        yield* Effect.gen(function* () {
          yield* DurableBatch.enqueue(rowsOf("a fox", "a hare"))
          yield* Effect.forkScoped(DurableBatch.run)
          yield* until(Effect.map(submissions, (count) => count === 1))
          yield* change("UPDATE arta_rows SET runner = NULL, state = 'cancelled' WHERE state = 'running'")
          yield* until(Effect.map(submissions, (count) => count === 2))
        }).pipe(asProcess({ concurrency: 1 }), emulate({ drawTime: "1 hour" }))
      })
    )

    it.scopedLive.each([
      { details: ["Blocked: request 9", "Blocked: request 10", "Blocked: request 12345"] },
      {
        details: ["Blocked (9f86d081884c7d65)", "Blocked (beef0123)", "Blocked (a7c2f1b7-1d44-4c4e-8a53-aa01e2d0a3f6)"]
      },
      { details: ["Blocked: a fox", "Blocked: a hare", "Blocked: an owl"] }
    ])("stops after three refusals that only differ in what belongs to each row: $details", ({ details }) =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          yield* inject(...details.map((detail) => Fault.respond("submit", 403, { body: { detail } })))
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare", "an owl", "a crow"))
          const error = yield* Effect.flip(DurableBatch.runUntilDone(batch))
          expect(error.message).toMatch(
            /^The service refused 3 rows in a row, so the runner stopped\. The service returned HTTP 403 .*Blocked/
          )
          expect(yield* submissions).toBe(3)
        }).pipe(asProcess({ concurrency: 1 }), emulate())
      })
    )

    it.scopedLive("goes on after refusals that differ, and after a status that was refused", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          const refuse = (detail: string) => Fault.respond("submit", 403, { body: { detail } })
          yield* inject(refuse("Blocked"), refuse("Blocked"), refuse("Too long"), refuse("Too long"))
          yield* inject(Fault.respond("status", 403))
          const { batch } = yield* DurableBatch.enqueue(rowsOf("1", "2", "3", "4", "5", "6"))
          yield* DurableBatch.runUntilDone(batch)
          const ended = yield* outcomes(batch)
          expect(ended.map(({ _tag }) => _tag)).toEqual([...Array.replicate("Failed", 5), "Saved"])
          expect(ended[4]).toMatchObject({ recordId: expect.stringMatching(/^record-/) as string })
          expect(ended[3]).not.toHaveProperty("recordId")
        }).pipe(asProcess({ concurrency: 1 }), emulate())
      })
    )

    it.scopedLive("stops at once if the service wants a payment", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          yield* inject(Fault.respond("submit", 402))
          const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare"))
          expect(yield* Effect.flip(DurableBatch.runUntilDone(batch))).toMatchObject({
            _tag: "ResponseError",
            status: 402
          })
          expect((yield* DurableBatch.status(batch)).rows).toMatchObject({ queued: 2, failed: 0 })
        }).pipe(asProcess({ concurrency: 1 }), emulate())
      })
    )
  })
}
