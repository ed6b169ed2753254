import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Fragment } from "@effect/sql/Statement"
import type * as BatchDatabase from "../../BatchDatabase.js"
import type { DatabaseError } from "../../BatchDatabase.js"
import type { RowOutcome } from "../../BatchRow.js"
import type { OwnerId } from "../runners.js"
import { cancelledJson, ClaimedRow, encodeOutcome, keyOf, stateOf } from "./storedRow.js"

/**
 * Hands rows to runners. A row belongs to the runner that claimed it until the runner's heartbeat stops: the heartbeat
 * is the lease of all its rows. Each function is one statement, which is its own transaction.
 */
export interface Leases {
  /** Claims queued rows for this runner: first those that another runner had before, then the oldest batches. */
  readonly claim: (count: number) => Effect.Effect<ReadonlyArray<ClaimedRow>, DatabaseError>
  /** Records how a row of this runner ended. False: the row belongs to another runner now, or has ended. */
  readonly finish: (row: ClaimedRow, outcome: RowOutcome) => Effect.Effect<boolean, DatabaseError>
  /** Queues rows of this runner again. */
  readonly giveBack: (keys: ReadonlyArray<string>) => Effect.Effect<void, DatabaseError>
  /** The keys of the rows that belong to this runner. */
  readonly owned: Effect.Effect<ReadonlySet<string>, DatabaseError>
  /** Queues the rows of dead runners again, and unknown rows whose submission has been recorded after all. */
  readonly recover: Effect.Effect<void, DatabaseError>
}

// Milliseconds. A heartbeat comes every few seconds. A row that is taken from a runner that is slow but alive costs
// some polls, never a second submission.
const silence = 20_000

/** Only this library writes rows, so a row that cannot be read is a defect. */
const decodeClaimed = (found: unknown) => Effect.orDie(Schema.decodeUnknown(Schema.Array(ClaimedRow))(found))

interface ClaimResult {
  readonly state: "running" | "cancelled"
}

export const makeLeases = (
  { now, run, sql, table }: BatchDatabase.Service,
  runner: OwnerId,
  batch: string | undefined
): Leases => {
  const rows = table("rows")

  const isUnwanted = sql`(
    EXISTS (SELECT 1 FROM ${table("batches")} b WHERE b.id = ${rows}.batch_id AND b.cancelled_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM ${table("submissions")} s WHERE s.key = ${rows}.batch_id || '/' || ${rows}.row))`

  // Rows that may have been paid for come before new ones, also in a batch that was cancelled.
  const requeue = (which: Fragment) => sql`
    UPDATE ${rows} SET runner = NULL,
      state = CASE WHEN ${isUnwanted} THEN 'cancelled' ELSE 'queued' END,
      outcome = CASE WHEN ${isUnwanted} THEN ${cancelledJson} ELSE NULL END,
      sort_at = CASE WHEN ${isUnwanted} THEN ${now} ELSE 0 END
    WHERE ${which}`

  const next = sql`
    SELECT batch_id, row FROM ${rows}
    WHERE state = 'queued' ${batch === undefined ? sql`` : sql`AND batch_id = ${batch}`}
    ORDER BY sort_at, row`
  // A cancellation does not see rows that are enqueued or given back at the same moment.
  const claimed = sql`
    UPDATE ${rows} SET runner = ${runner}, sort_at = ${now},
      state = CASE WHEN ${isUnwanted} THEN 'cancelled' ELSE 'running' END,
      outcome = CASE WHEN ${isUnwanted} THEN ${cancelledJson} ELSE NULL END`
  const columns = sql`RETURNING ${rows}.batch_id, ${rows}.row, ${rows}.name, ${rows}.request, ${rows}.state`

  const claim = (count: number) =>
    run(
      "claim rows",
      sql.onDialectOrElse({
        pg: () => sql<ClaimResult>`
          WITH next AS (${next} LIMIT ${count} FOR UPDATE SKIP LOCKED)
          ${claimed} FROM next WHERE ${rows}.batch_id = next.batch_id AND ${rows}.row = next.row ${columns}`,
        // A statement that writes has the lock of the database from its start.
        orElse: () => sql<ClaimResult>`${claimed} WHERE (batch_id, row) IN (${next} LIMIT ${count}) ${columns}`
      })
    ).pipe(Effect.flatMap((found) => decodeClaimed(found.filter(({ state }) => state === "running"))))

  const isMine = sql`state = 'running' AND runner = ${runner}`

  const dead = sql`
    SELECT r.id FROM ${table("runners")} r
    WHERE r.stopped_at IS NOT NULL OR (r.heartbeat_at < ${now} - ${silence} AND EXISTS (
      SELECT 1 FROM ${table("runners")} me WHERE me.id = ${runner} AND me.steady_since < ${now} - ${silence}
    ))`
  const isRecorded = sql`
    EXISTS (SELECT 1 FROM ${table("submissions")} s WHERE s.key = batch_id || '/' || row AND s.record_id IS NOT NULL)`

  return {
    claim,
    finish: ({ batch, row }, outcome) =>
      run(
        "record the outcome of a row",
        sql`
          UPDATE ${rows}
          SET state = ${stateOf(outcome)}, outcome = ${encodeOutcome(outcome)}, runner = ${runner}, sort_at = ${now}
          WHERE batch_id = ${batch} AND row = ${row}
            AND ((${isMine}) ${outcome._tag === "Unknown" ? sql`` : sql`OR state = 'unknown'`})
          RETURNING row`
      ).pipe(Effect.map(({ length }) => length > 0)),
    giveBack: (keys) =>
      Effect.asVoid(run("give back rows", requeue(sql`${isMine} AND batch_id || '/' || row IN ${sql.in(keys)}`))),
    owned: run(
      "read rows",
      sql<{ readonly batch_id: string; readonly row: number }>`SELECT batch_id, row FROM ${rows} WHERE ${isMine}`
    ).pipe(Effect.map((found) => new Set(found.map(({ batch_id, row }) => keyOf({ batch: batch_id, row }))))),
    // Two statements: PostgreSQL would read every running row for a condition with OR.
    recover: Effect.forEach(
      [sql`state = 'running' AND runner IN (${dead})`, sql`state = 'unknown' AND ${isRecorded}`],
      (which) => run("recover rows", requeue(which)),
      { discard: true }
    )
  }
}
