import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { BatchStatus } from "effect-arta/batch"

const RunnerView = Schema.Struct({
  id: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  startedAt: Schema.String,
  /** The number of rows that the runner has now. */
  running: Schema.Int
})

/** A batch as the page and `--json` show it. Times are in ISO 8601, durations in milliseconds. */
export const BatchView = Schema.Struct({
  batch: Schema.String,
  createdAt: Schema.String,
  cancelledAt: Schema.optional(Schema.String),
  rows: BatchStatus.RowCounts,
  /** The rows that ended in the last minute, per second. */
  rate: Schema.Number,
  timeLeft: Schema.optional(Schema.Number),
  failures: Schema.Array(
    Schema.Struct({
      row: Schema.Int,
      name: Schema.String,
      error: Schema.String,
      message: Schema.String,
      at: Schema.String
    })
  )
})

export type BatchView = typeof BatchView.Type

/** What the page shows. */
export const StatusView = Schema.Struct({
  batches: Schema.Array(BatchView),
  runners: Schema.Array(RunnerView)
})

export type StatusView = typeof StatusView.Type

const toBatchView = (status: BatchStatus.BatchStatus): BatchView => ({
  batch: status.batch,
  createdAt: DateTime.formatIso(status.createdAt),
  cancelledAt: Option.getOrUndefined(Option.map(status.cancelledAt, DateTime.formatIso)),
  rows: status.rows,
  rate: status.rate,
  timeLeft: Option.getOrUndefined(Option.map(status.timeLeft, Duration.toMillis)),
  failures: status.failures.map(({ at, error, message, name, row }) => ({
    row,
    name,
    error,
    message,
    at: DateTime.formatIso(at)
  }))
})

type RunnerView = typeof RunnerView.Type

/** The runners of all batches. Each batch counts its own rows. */
const runnersOf = (statuses: ReadonlyArray<BatchStatus.BatchStatus>): ReadonlyArray<RunnerView> => {
  const all = statuses.flatMap(({ runners }) => runners)
  return [...new Map(all.map((runner) => [runner.id, runner])).values()].map(({ host, id, pid, startedAt }) => ({
    id,
    host,
    pid,
    startedAt: DateTime.formatIso(startedAt),
    running: all.reduce((sum, runner) => (runner.id === id ? sum + runner.running : sum), 0)
  }))
}

export const toStatusView = (statuses: ReadonlyArray<BatchStatus.BatchStatus>): StatusView => ({
  batches: statuses.map(toBatchView),
  runners: runnersOf(statuses)
})

const encode = Schema.encodeSync(BatchView)

/** One line of `--json`. */
export const formatView = (view: BatchView): string => JSON.stringify(encode(view))
