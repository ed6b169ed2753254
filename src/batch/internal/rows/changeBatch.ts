import * as Effect from "effect/Effect"
import type * as BatchDatabase from "../../BatchDatabase.js"
import type { DatabaseError } from "../../BatchDatabase.js"
import { BatchNotFoundError } from "../../BatchError.js"
import { SubmissionLedger } from "../../SubmissionLedger.js"
import { cancelledJson, keyOf } from "./storedRow.js"

/** Fails if the database has no such batch. */
export const checkBatch = (
  { run, sql, table }: BatchDatabase.Service,
  batch: string
): Effect.Effect<void, BatchNotFoundError | DatabaseError> =>
  Effect.flatMap(run("read the batch", sql`SELECT id FROM ${table("batches")} WHERE id = ${batch}`), ({ length }) =>
    length === 0 ? new BatchNotFoundError({ batch }) : Effect.void
  )

/** Whether a row of the batch is still to be run. */
export const hasOpenRows = (
  { run, sql, table }: BatchDatabase.Service,
  batch: string
): Effect.Effect<boolean, DatabaseError> =>
  Effect.map(
    run(
      "read rows",
      sql`SELECT row FROM ${table("rows")} WHERE batch_id = ${batch} AND state IN ('queued', 'running') LIMIT 1`
    ),
    ({ length }) => length > 0
  )

/** Cancels the rows that no runner has claimed. The others finish. Returns how many were cancelled. */
export const cancel = (
  database: BatchDatabase.Service,
  batch: string
): Effect.Effect<number, BatchNotFoundError | DatabaseError> =>
  Effect.gen(function* () {
    const { now, run, sql, table } = database
    yield* checkBatch(database, batch)
    yield* run(
      "cancel the batch",
      sql`UPDATE ${table("batches")} SET cancelled_at = ${now} WHERE id = ${batch} AND cancelled_at IS NULL`
    )
    const cancelled = yield* run(
      "cancel rows",
      sql`
        UPDATE ${table("rows")} SET state = 'cancelled', outcome = ${cancelledJson}, sort_at = ${now}
        WHERE batch_id = ${batch} AND state = 'queued' AND NOT EXISTS (
          SELECT 1 FROM ${table("submissions")} s WHERE s.key = batch_id || '/' || row
        )
        RETURNING row`
    )
    return cancelled.length
  })

/** Queues the unknown rows again, and lets the ledger send them again. Returns how many there were. */
export const retryUnknown = (
  database: BatchDatabase.Service,
  batch: string
): Effect.Effect<number, BatchNotFoundError | DatabaseError, SubmissionLedger> =>
  Effect.gen(function* () {
    const { run, sql, table } = database
    const ledger = yield* SubmissionLedger
    yield* checkBatch(database, batch)
    const unknown = yield* run(
      "read rows",
      sql<{ readonly row: number }>`
        SELECT row FROM ${table("rows")} WHERE batch_id = ${batch} AND state = 'unknown' ORDER BY row`
    )
    const queued = yield* Effect.forEach(unknown, ({ row }) =>
      // The submission first: a row that is queued before would become unknown again. One that was recorded meanwhile
      // is not sent again, but its images are still to be saved.
      Effect.zipRight(
        ledger.retryUnknown(keyOf({ batch, row })),
        run(
          "queue a row again",
          sql`
            UPDATE ${table("rows")} SET state = 'queued', outcome = NULL, runner = NULL, sort_at = 0
            WHERE batch_id = ${batch} AND row = ${row} AND state = 'unknown'
            RETURNING row`
        )
      )
    )
    return queued.flat().length
  })
