import { expect } from "@effect/vitest"
import { Array, Effect, Random } from "effect"
import { onEachDatabase, setUpBatch } from "../support/durableBatch.js"
import { seed } from "../support/suite.js"

const kills = Number(process.env["ARTA_TEST_KILLS"] ?? 12)
const runners = 3
const submissionsAtOnce = 4
const rowsPerKill = 25

onEachDatabase("Runners", (it) => {
  // fault: Batch runners | Runners are killed at random moments | At most 4 rows are unknown per kill. Nothing is paid twice or lost
  it.scoped(
    `finish a batch while they are killed at ${String(kills)} random moments`,
    () =>
      Effect.gen(function* () {
        const { enqueue, finish, silence, startRunner } = yield* setUpBatch()
        const batch = yield* enqueue(kills * rowsPerKill)
        const start = startRunner({ concurrency: 10, submissionsAtOnce })

        const startAndKill = Effect.gen(function* () {
          const runner = yield* start
          yield* runner.wrote(/running/)
          yield* Effect.sleep(yield* Random.nextRange(0, 3_000))
          yield* runner.signal("SIGKILL")
          yield* runner.ended
          // The others find some of them dead at once, and the others only after a minute.
          if (yield* Random.nextBoolean) yield* silence(runner)
        })

        yield* Effect.forEach(Array.range(1, kills), () => Effect.scoped(startAndKill), { concurrency: runners })
        yield* Effect.replicateEffect(start, runners)
        expect(yield* finish(batch)).toBeLessThanOrEqual(submissionsAtOnce * kills)
      }).pipe(Effect.withRandom(Random.make(seed))),
    180_000 + kills * 10_000
  )
})
