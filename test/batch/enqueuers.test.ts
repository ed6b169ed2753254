import { expect } from "@effect/vitest"
import { Context, Effect } from "effect"
import { DurableBatch } from "effect-arta/batch"
import { onEachDatabase, setUpBatch, timeout } from "../support/durableBatch.js"

const rows = 40

onEachDatabase("A batch", (it) => {
  // fault: Batch runners | Two programs enqueue the same batch | Its rows are enqueued once
  it.scoped(
    "that two programs enqueue at once has each row once",
    () =>
      Effect.gen(function* () {
        const { connect, enqueueWith, finish, startRunner } = yield* setUpBatch()
        yield* startRunner()
        const enqueuers = yield* Effect.replicateEffect(connect, 2)
        const [first, second] = yield* Effect.forEach(
          enqueuers,
          (context) => enqueueWith(Context.get(context, DurableBatch.DurableBatch), rows),
          {
            concurrency: "unbounded"
          }
        )
        expect(first?.batch).toBe(second?.batch)
        expect((first?.added ?? 0) + (second?.added ?? 0)).toBe(rows)
        expect(yield* finish(first?.batch ?? "")).toBe(0)
      }),
    timeout
  )
})
