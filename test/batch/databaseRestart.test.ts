import { expect } from "@effect/vitest"
import { Effect } from "effect"
import { onPostgres, setUpBatch, timeout } from "../support/durableBatch.js"
import * as Postgres from "../support/postgres.js"

const rows = 60

onPostgres("While the database is restarted", (it) => {
  // fault: Batch runners | The database restarts or crashes | Runners wait for it
  it.scoped(
    "runners wait for it, and leave no row unknown",
    () =>
      Effect.gen(function* () {
        const server = yield* Postgres.Postgres
        const { enqueue, finish, saved, startRunner } = yield* setUpBatch({ submitTime: "200 millis" })
        const batch = yield* enqueue(rows)
        yield* Effect.replicateEffect(startRunner(), 2)
        for (const [turn, mode] of (["fast", "immediate", "fast"] as const).entries()) {
          yield* saved(batch, (turn + 1) * 10)
          yield* server.stop(mode)
          yield* Effect.sleep("2 seconds")
          yield* server.start
        }
        expect(yield* finish(batch)).toBe(0)
      }),
    timeout
  )
})
