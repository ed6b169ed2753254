import type { Fragment } from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { hostname } from "node:os"
import type { DatabaseError } from "../BatchDatabase.js"
import { BatchDatabase } from "../BatchDatabase.js"

/** Identifies one run of a program. Every start makes another one. */
export const OwnerId = Schema.NonEmptyString.pipe(
  Schema.brand("effect-arta/OwnerId"),
  Schema.annotations({ identifier: "ArtaOwnerId" })
)

export type OwnerId = typeof OwnerId.Type

/**
 * This process in the table of runners. Its heartbeat runs as long as the layer lives, then it is marked as stopped.
 */
export class Runner extends Context.Tag("effect-arta/batch/Runner")<Runner, { readonly id: OwnerId }>() {}

const heartbeat = "5 seconds"

/** Milliseconds. A longer gap between two heartbeats means that this process or the database was stopped meanwhile. */
const longestGap = 15_000

/** Milliseconds without a heartbeat until a runner is dead. */
const silence = 60_000

/** Milliseconds until a runner's row is removed. */
const keptFor = 7 * 24 * 60 * 60_000

/**
 * An expression: whether an owner has stopped, or has been silent for a minute. While the database or the whole machine
 * is stopped, every heartbeat is late. So only a judge whose own heartbeat was on time for that minute can tell.
 */
export const isDead = (
  { now, sql, table }: typeof BatchDatabase.Service,
  { judge, owner }: { readonly owner: Fragment; readonly judge: OwnerId }
): Fragment => {
  const runners = table("runners")
  return sql`NOT EXISTS (
    SELECT 1 FROM ${runners} AS r WHERE r.id = ${owner} AND r.stopped_at IS NULL AND (
      r.heartbeat_at >= ${now} - ${silence} OR NOT EXISTS (
        SELECT 1 FROM ${runners} AS judge WHERE judge.id = ${judge}
          AND judge.steady_since < ${now} - ${silence} AND judge.heartbeat_at > ${now} - ${longestGap})))`
}

const make = Effect.gen(function* () {
  const { now, run, sql, table } = yield* BatchDatabase
  const runners = table("runners")
  const submissions = table("submissions")
  const id = yield* Effect.sync(() => OwnerId.make(crypto.randomUUID()))
  const { host, pid } = yield* Effect.sync(() => ({ host: hostname().slice(0, 200), pid: process.pid }))

  // Creates the row too: another process may have removed it while this one was stopped.
  const beat = run(
    "update the heartbeat",
    sql`INSERT INTO ${runners} (id, host, pid, started_at, heartbeat_at, steady_since)
        VALUES (${id}, ${host}, ${pid}, ${now}, ${now}, ${now})
        ON CONFLICT (id) DO UPDATE SET
          steady_since = CASE WHEN ${runners}.heartbeat_at < ${now} - ${longestGap} THEN ${now} ELSE ${runners}.steady_since END,
          heartbeat_at = ${now}, stopped_at = NULL`
  )

  const removeOld = run(
    "remove old runners",
    sql`DELETE FROM ${runners} WHERE heartbeat_at < ${now} - ${keptFor}
        AND NOT EXISTS (SELECT 1 FROM ${submissions} WHERE owner = ${runners}.id AND state = 'intended')
        AND NOT EXISTS (SELECT 1 FROM ${table("rows")} WHERE runner = ${runners}.id AND state = 'running')`
  )

  // The database may be gone for good: a stop does not wait for it.
  const stop = run("stop", sql`UPDATE ${runners} SET stopped_at = ${now} WHERE id = ${id}`).pipe(
    Effect.interruptible,
    Effect.disconnect,
    Effect.timeoutOption("3 seconds"),
    Effect.ignore
  )

  yield* Effect.acquireRelease(beat, () => stop)
  yield* removeOld
  yield* beat.pipe(
    Effect.catchAll((error) => Effect.logWarning(error.message)),
    Effect.repeat(Schedule.jittered(Schedule.spaced(heartbeat))),
    Effect.delay(heartbeat),
    Effect.forkScoped
  )
  return { id }
})

/** Shared by every layer that provides it, so that a process has one id and one heartbeat. */
export const layer: Layer.Layer<Runner, DatabaseError, BatchDatabase> = Layer.scoped(Runner, make)
