import * as Array from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as BatchDatabase from "../../BatchDatabase.js"
import type { DatabaseError } from "../../BatchDatabase.js"
import { BatchNotFoundError } from "../../BatchError.js"
import type { RowState } from "../../BatchRow.js"
import type { RowCounts } from "../../BatchStatus.js"
import { BatchSettings, BatchStatus, BatchSummary, RecentFailure, RunnerStatus } from "../../BatchStatus.js"
import { EndedRow } from "./storedRow.js"

// Milliseconds.
const rateWindow = 60_000

// Milliseconds. Heartbeats come more often.
const aliveFor = 20_000

const maxFailures = 10

const noRows: RowCounts = { queued: 0, running: 0, saved: 0, failed: 0, unknown: 0, cancelled: 0 }

interface StoredBatch {
  readonly id: string
  readonly created_at: number
  readonly cancelled_at: number | null
  readonly settings: string
}

interface StateCount {
  readonly batch_id: string
  readonly state: RowState
  readonly count: number
}

const decodeSettings = Schema.decodeOption(Schema.parseJson(BatchSettings))

/** The batches that conditions select, each with the number of its rows in each state. */
const readSummaries = ({ run, sql, table }: BatchDatabase.Service, batch: string | undefined) =>
  Effect.gen(function* () {
    const batches = yield* run(
      "read batches",
      sql<StoredBatch>`
        SELECT id, created_at, cancelled_at, settings FROM ${table("batches")}
        ${batch === undefined ? sql`` : sql`WHERE id = ${batch}`} ORDER BY created_at DESC, id`
    )
    const counts = yield* run(
      "count rows",
      // PostgreSQL counts in 64-bit integers, which `pg` returns as text.
      sql<StateCount>`
        SELECT batch_id, state, CAST(COUNT(*) AS DOUBLE PRECISION) AS count FROM ${table("rows")}
        ${batch === undefined ? sql`` : sql`WHERE batch_id = ${batch}`} GROUP BY batch_id, state`
    )
    const byBatch = Array.groupBy(counts, ({ batch_id }) => batch_id)
    return batches.map(({ cancelled_at, created_at, id, settings }) => ({
      batch: id,
      settings: Option.getOrElse(decodeSettings(settings), () => ({})),
      createdAt: DateTime.unsafeMake(created_at),
      cancelledAt: Option.map(Option.fromNullable(cancelled_at), DateTime.unsafeMake),
      rows: (byBatch[id] ?? []).reduce<RowCounts>((rows, { count, state }) => ({ ...rows, [state]: count }), noRows)
    }))
  })

export const readBatches = (
  database: BatchDatabase.Service
): Effect.Effect<ReadonlyArray<BatchSummary>, DatabaseError> =>
  Effect.map(readSummaries(database, undefined), (summaries) => summaries.map((fields) => new BatchSummary(fields)))

interface StoredRunner {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly started_at: number
  readonly running: number
}

const readRunners = ({ now, run, sql, table }: BatchDatabase.Service, batch: string) =>
  run(
    "read runners",
    sql<StoredRunner>`
      SELECT r.id, r.host, r.pid, r.started_at, (
        SELECT CAST(COUNT(*) AS DOUBLE PRECISION) FROM ${table("rows")}
        WHERE state = 'running' AND runner = r.id AND batch_id = ${batch}
      ) AS running
      FROM ${table("runners")} r
      WHERE r.stopped_at IS NULL AND r.heartbeat_at > ${now} - ${aliveFor}
      ORDER BY r.started_at, r.id`
  ).pipe(
    Effect.map((found) =>
      found.map(
        ({ started_at, ...runner }) => new RunnerStatus({ ...runner, startedAt: DateTime.unsafeMake(started_at) })
      )
    )
  )

/** How many rows ended per second, in the last minute or since the first of that time. */
const readRate = ({ now, run, sql, table }: BatchDatabase.Service, batch: string) =>
  Effect.map(
    run(
      "count rows",
      sql<{ readonly count: number; readonly age: number | null }>`
        SELECT CAST(COUNT(*) AS DOUBLE PRECISION) AS count, ${now} - MIN(sort_at) AS age FROM ${table("rows")}
        WHERE batch_id = ${batch} AND state IN ('saved', 'failed', 'unknown') AND sort_at > ${now} - ${rateWindow}`
    ),
    ([found]) => ((found?.count ?? 0) * 1_000) / Math.max(found?.age ?? 0, 1_000)
  )

const decodeEnded = Schema.decodeUnknown(Schema.Array(EndedRow))

const toFailure = ({ name, outcome, row, sortAt }: EndedRow): ReadonlyArray<RecentFailure> => {
  const at = DateTime.unsafeMake(sortAt)
  switch (outcome._tag) {
    case "Failed":
      return [new RecentFailure({ row, name, error: outcome.error._tag, message: outcome.error.message, at })]
    case "Unknown":
      return [new RecentFailure({ row, name, error: "SubmissionUnknownError", message: outcome.reason, at })]
    default:
      return []
  }
}

const readFailures = ({ run, sql, table }: BatchDatabase.Service, batch: string) => {
  const lastOf = (state: RowState) => sql`
    SELECT * FROM (
      SELECT batch_id, row, name, request, state, outcome, sort_at FROM ${table("rows")}
      WHERE batch_id = ${batch} AND state = ${state} ORDER BY sort_at DESC, row DESC LIMIT ${maxFailures}
    ) ${sql.literal(state)}_rows`
  return run(
    "read failures",
    sql`${lastOf("failed")} UNION ALL ${lastOf("unknown")} ORDER BY sort_at DESC, row DESC LIMIT ${maxFailures}`
  ).pipe(
    Effect.flatMap((found) => Effect.orDie(decodeEnded(found))),
    Effect.map((rows) => rows.flatMap(toFailure))
  )
}

export const readStatus = (
  database: BatchDatabase.Service,
  batch: string
): Effect.Effect<BatchStatus, BatchNotFoundError | DatabaseError> =>
  Effect.gen(function* () {
    const [summary] = yield* readSummaries(database, batch)
    if (summary === undefined) return yield* new BatchNotFoundError({ batch })
    const rate = yield* readRate(database, batch)
    const open = summary.rows.queued + summary.rows.running
    return new BatchStatus({
      ...summary,
      runners: yield* readRunners(database, batch),
      rate,
      timeLeft: open > 0 && rate > 0 ? Option.some(Duration.seconds(open / rate)) : Option.none(),
      failures: yield* readFailures(database, batch)
    })
  })
