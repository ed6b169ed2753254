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

    it.scopedLive.each(["", " \t", "x".repeat(501)])("refuses the name %j", (name) =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          const enqueue = (name: string) => DurableBatch.enqueue([{ options: { prompt: "a fox" }, name }])
          const { message } = yield* Effect.flip(enqueue(name))
          const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name)
          expect(message).toContain(shown)
          expect(message).toContain("text of at most 500 characters that is not blank")
          yield* enqueue("x".repeat(500))
          const exact = "y".repeat(80)
          expect((yield* Effect.flip(enqueue(`${exact}\u0000`.slice(1)))).message).toContain(
            `"${exact.slice(1)}\\u0000"`
          )
        }).pipe(asProcess(), emulate())
      })
    )

    it.scopedLive("lists at most five invalid rows, and counts the others", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          const messageOf = (count: number) =>
            Effect.map(
              Effect.flip(DurableBatch.enqueue(Array.replicate({ options: { prompt: " " } }, count))),
              ({ message }) => message.split("\n")
            )
          expect(yield* messageOf(5)).toHaveLength(5)
          const more = yield* messageOf(7)
          expect(more).toHaveLength(6)
          expect(more.at(-1)).toBe("2 more rows are invalid.")
        }).pipe(asProcess(), emulate())
      })
    )

    it.scopedLive("takes options in another order for the same row, and other options for another", () =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          const first = yield* DurableBatch.enqueue([{ options: { prompt: "a fox", n: 2, seed: 7 }, name: "fox" }])
          expect(first.batch).toMatch(/^[0-9a-f]{16}$/)
          const same = yield* DurableBatch.enqueue([{ name: "fox", options: { seed: 7, n: 2, prompt: "a fox" } }])
          expect(same).toEqual({ batch: first.batch, added: 0, existing: 1 })
          const other = yield* DurableBatch.enqueue([{ options: { prompt: "a fox", n: 3, seed: 7 }, name: "fox" }])
          expect(other).toMatchObject({ added: 1, existing: 0 })
          const names = ["fox", "hare"].map((name) => ({ options: { prompt: "a fox" }, name }))
          const both = yield* DurableBatch.enqueue(names)
          const reversed = yield* DurableBatch.enqueue([...names].reverse())
          expect(reversed.batch).not.toBe(both.batch)
        }).pipe(asProcess(), emulate())
      })
    )

    it.scopedLive.each(["", " ", "a\nb", "x".repeat(201)])("refuses the batch %j", (batch) =>
      Effect.gen(function* () {
        const { asProcess } = yield* world
        yield* Effect.gen(function* () {
          const { message } = yield* Effect.flip(DurableBatch.enqueue(rowsOf("a fox"), { batch }))
          expect(message).toContain("a name of at most 200 characters that is not blank")
          expect(message.length).toBeLessThan(250)
          yield* DurableBatch.enqueue(rowsOf("a fox"), { batch: "x".repeat(200) })
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
          expect(error.message).toBe(
            'The batch "night" already has another row 2. Enqueue changed rows as another batch.'
          )
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
