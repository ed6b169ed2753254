import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { onEachDatabase, setUpBatch, timeout } from "../support/durableBatch.js"

onEachDatabase("A runner with a full disk", (it) => {
  // fault: Batch runners | The disk of one runner is full | That runner stops with the error, the others save its rows
  it.scoped(
    "stops, and leaves its rows to another one",
    () =>
      Effect.gen(function* () {
        const { enqueue, finish, startRunner } = yield* setUpBatch()
        const batch = yield* enqueue(10)
        const full = yield* startRunner({ diskFull: true })
        const { code, stdout } = yield* full.ended
        expect(code).toBe(1)
        expect(stdout).toContain("no space left on device")
        yield* startRunner()
        expect(yield* finish(batch)).toBe(0)
      }),
    timeout
  )
})
