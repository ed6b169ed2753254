/**
 * The status of a durable batch, for people and for dashboards.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * What a program notes with a batch, such as the directory of its images. The library only stores it.
 *
 * @since 0.1.0
 * @category models
 */
export const BatchSettings = Schema.Record({ key: Schema.String, value: Schema.String })

/**
 * @since 0.1.0
 * @category models
 */
export type BatchSettings = typeof BatchSettings.Type

/**
 * The number of rows in each state.
 *
 * @since 0.1.0
 * @category models
 */
export const RowCounts = Schema.Struct({
  queued: Schema.NonNegativeInt,
  running: Schema.NonNegativeInt,
  saved: Schema.NonNegativeInt,
  failed: Schema.NonNegativeInt,
  unknown: Schema.NonNegativeInt,
  cancelled: Schema.NonNegativeInt
})

/**
 * @since 0.1.0
 * @category models
 */
export type RowCounts = typeof RowCounts.Type

/**
 * A runner that is alive, and how many rows of the batch it has claimed.
 *
 * @since 0.1.0
 * @category models
 */
export class RunnerStatus extends Schema.Class<RunnerStatus>("ArtaRunnerStatus")({
  id: Schema.String,
  host: Schema.String,
  pid: Schema.Int,
  startedAt: Schema.DateTimeUtc,
  running: Schema.NonNegativeInt
}) {}

/**
 * A row that failed or whose submission is unknown, for a person to read.
 *
 * @since 0.1.0
 * @category models
 */
export class RecentFailure extends Schema.Class<RecentFailure>("ArtaRecentFailure")({
  row: Schema.Int,
  name: Schema.String,
  error: Schema.String,
  message: Schema.String,
  at: Schema.DateTimeUtc
}) {}

/**
 * The status of a batch. The database's clock gives every time.
 *
 * @since 0.1.0
 * @category models
 */
export class BatchStatus extends Schema.Class<BatchStatus>("ArtaBatchStatus")({
  batch: Schema.String,
  createdAt: Schema.DateTimeUtc,
  cancelledAt: Schema.optionalWith(Schema.DateTimeUtc, { as: "Option" }),
  rows: RowCounts,
  /** The runners that are alive, whether they have rows of this batch or not. */
  runners: Schema.Array(RunnerStatus),
  /** The rows of the batch that ended in the last minute, per second. */
  rate: Schema.NonNegative,
  /** How long the open rows take at this rate. None: nothing is open, or no row ended in the last minute. */
  timeLeft: Schema.optionalWith(Schema.Duration, { as: "Option" }),
  /** The last ten rows that failed or are unknown, the newest first. */
  failures: Schema.Array(RecentFailure)
}) {
  /** The number of rows. */
  get total(): number {
    return Object.values(this.rows).reduce((sum, count) => sum + count, 0)
  }

  /** The number of rows that have not ended. */
  get open(): number {
    return this.rows.queued + this.rows.running
  }
}

/**
 * A batch in the database.
 *
 * @since 0.1.0
 * @category models
 */
export class BatchSummary extends Schema.Class<BatchSummary>("ArtaBatchSummary")({
  batch: Schema.String,
  createdAt: Schema.DateTimeUtc,
  cancelledAt: Schema.optionalWith(Schema.DateTimeUtc, { as: "Option" }),
  settings: BatchSettings,
  rows: RowCounts
}) {}
