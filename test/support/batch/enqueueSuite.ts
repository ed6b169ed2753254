import { describe, expect, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Array, Effect, Stream } from "effect"
import { DurableBatch } from "effect-arta/batch"
import type { TestDatabase } from "./databases.js"
import { emulate, makeWorld, rowsOf, tags } from "./durableBatch.js"

/** What enqueuing does on every database. `open` makes a new, empty one. */
export const enqueueSuite = (open: Effect.Effect<TestDatabase, never, Scope.Scope>): void => {
  const world = makeWorld(open)

  describe("DurableBatch.enqueue", () => {
    it.scopedLive("adds the same rows only once, also when two processes enqueue them at once", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        const rows = Array.makeBy(1_200, (index) => ({ options: { prompt: `fox ${String(index)}` } }))
        const enqueue = asProcess()(DurableBatch.enqueue(rows))
        const [first, second] = yield* Effect.all([enqueue, enqueue], { concurrency: 2 })
        expect(second.batch).toBe(first.batch)
        expect(first.added + second.added).toBe(1_200)
        expect(yield* enqueue).toEqual({ batch: first.batch, added: 0, existing: 1_200 })
        expect((yield* asProcess()(DurableBatch.status(first.batch))).rows.queued).toBe(1_200)
      }).pipe(emulate())
    )

    it.scopedLive("reports the numbers of all invalid rows of a window before it writes any of them", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          const rows = [{ options: { prompt: "a fox" } }, { options: { prompt: " " } }, { options: { model: "Fluks" } }]
          const error = yield* Effect.flip(DurableBatch.enqueue(rows, { batch: "night" }))
          expect(error).toMatchObject({ _tag: "InvalidRowsError", invalid: [{ row: 2 }, { row: 3 }] })
          expect(error.message).toMatch(/^Row 2: The option prompt .*\nRow 3: /)
          expect(yield* Effect.flip(DurableBatch.status("night"))).toMatchObject({ _tag: "BatchNotFoundError" })
        }).pipe(asProcess(), emulate())
      })
    )

    it.scopedLive.each(["fox\u0000", "fox\u001b[2J", "fox\ud800"])(
      "refuses the name %j, and takes such a prompt",
      (name) =>
        Effect.gen(function* () {
          const { asProcess } = yield* world
          yield* Effect.gen(function* () {
            const error = yield* Effect.flip(DurableBatch.enqueue([{ options: { prompt: "a fox" }, name }]))
            expect(error).toMatchObject({ _tag: "InvalidRowsError", invalid: [{ row: 1, error: { field: "name" } }] })
            expect(error.message).toContain("without control characters")
            const { batch } = yield* DurableBatch.enqueue([{ options: { prompt: `${name} ${"x".repeat(1_000)}` } }])
            yield* DurableBatch.runUntilDone(batch)
            expect(yield* tags(batch)).toEqual(["Saved"])
          }).pipe(asProcess(), emulate())
        })
    )

    it.scopedLive("refuses another row with the number of an earlier one, and a batch without a name", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          yield* DurableBatch.enqueue(rowsOf("a fox", "a hare"), { batch: "night" })
          const others = rowsOf("a fox", "an owl", "a heron")
          const error = yield* Effect.flip(DurableBatch.enqueue(others, { batch: "night" }))
          expect(error).toMatchObject({ _tag: "RowConflictError", batch: "night", row: 2 })
          expect((yield* DurableBatch.status("night")).open).toBe(2)
          const longer = yield* DurableBatch.enqueueStream(Stream.fromIterable(rowsOf("a fox", "a hare", "an owl")), {
            batch: "night"
          })
          expect(longer).toEqual({ batch: "night", added: 1, existing: 2 })
          const unnamed = yield* Effect.flip(DurableBatch.enqueue(rowsOf("a fox"), { batch: " " }))
          expect(unnamed).toMatchObject({ _tag: "InvalidRequestError", field: "batch" })
        }).pipe(asProcess(), emulate())
      })
    )
  })
}
