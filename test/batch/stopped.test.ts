import { expect } from "@effect/vitest"
import { Array, Effect } from "effect"
import { onEachDatabase, setUpBatch, timeout } from "../support/durableBatch.js"

const rows = 12
const concurrency = 4

onEachDatabase("A runner", (it) => {
  // fault: Batch runners | SIGTERM while submissions are under way | They finish and are recorded, another runner resumes the rows
  it.scoped(
    "finishes its submissions on SIGTERM",
    () =>
      Effect.gen(function* () {
        const { enqueue, finish, startRunner, upstream } = yield* setUpBatch({ submitTime: "3 seconds" })
        const batch = yield* enqueue(rows)
        const accepted = yield* upstream.hold("accepted", concurrency)
        const stopped = yield* startRunner({ concurrency })
        yield* accepted.reached
        yield* stopped.signal("SIGTERM")
        yield* accepted.release
        yield* Effect.timeout(stopped.ended, "15 seconds")
        yield* startRunner()
        expect(yield* finish(batch)).toBe(0)
      }),
    timeout
  )

  // fault: Batch runners | Runners join and leave | Nothing
  it.scoped(
    "takes part from its start to its stop, and leaves no row unknown",
    () =>
      Effect.gen(function* () {
        const { enqueue, finish, saved, startRunner } = yield* setUpBatch({ submitTime: "500 millis" })
        const batch = yield* enqueue(5 * rows)
        yield* startRunner({ concurrency })
        yield* Effect.forEach(Array.range(1, 3), (turn) =>
          Effect.gen(function* () {
            const guest = yield* startRunner({ concurrency })
            yield* saved(batch, turn * rows)
            yield* guest.signal("SIGTERM")
            yield* Effect.timeout(guest.ended, "15 seconds")
          })
        )
        expect(yield* finish(batch)).toBe(0)
      }),
    timeout
  )
})
