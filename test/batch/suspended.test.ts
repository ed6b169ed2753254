import { expect } from "@effect/vitest"
import { Effect } from "effect"
import type { SelfSignal } from "../support/durableBatch.js"
import { onEachDatabase, setUpBatch, timeout } from "../support/durableBatch.js"

const rows = 10
/** Longer than an intent may be old when its submission is sent. */
const suspension = "35 seconds"

onEachDatabase("A runner that is suspended", (it) => {
  const moments: ReadonlyArray<SelfSignal["at"]> = ["claimed", "intended", "recorded", "saved"]
  for (const at of moments) {
    // fault: Batch runners | A runner is suspended for longer than others wait for it | Its rows are unknown until it goes on
    it.scoped(
      `when it has ${at} a row leaves none unknown once it goes on`,
      () =>
        Effect.gen(function* () {
          const { batches, enqueue, finish, silence, startRunner } = yield* setUpBatch()
          const batch = yield* enqueue(rows)
          const suspended = yield* startRunner({ signal: { signal: "SIGSTOP", at, after: 2 } })
          yield* suspended.wrote(/SIGSTOP/)
          const other = yield* startRunner()
          yield* other.wrote(/running/)
          yield* silence(suspended)
          yield* Effect.sleep(suspension)
          yield* suspended.signal("SIGCONT")
          yield* batches
            .status(batch)
            .pipe(
              Effect.zipLeft(Effect.sleep("100 millis")),
              Effect.repeat({ until: (status) => status.open === 0 && status.rows.unknown === 0 })
            )
          expect(yield* finish(batch)).toBe(0)
        }),
      timeout
    )
  }
})
