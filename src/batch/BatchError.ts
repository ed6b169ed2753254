/**
 * The errors of a durable batch that are not those of a generation.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { AuthError, RateLimitedError, TokenStoreError, TransportError, UnauthorizedError } from "../ArtaError.js"
import { InvalidRequestError, ResponseError, UnknownModelError } from "../ArtaError.js"
import type { DatabaseError } from "./BatchDatabase.js"
import type { SinkError } from "./ImageSink.js"

/**
 * A row that cannot be enqueued. `row` is its number, from 1.
 *
 * @since 0.1.0
 * @category models
 */
export const InvalidRow = /* @__PURE__ */ Schema.Struct({
  row: Schema.Int,
  error: Schema.Union(InvalidRequestError, UnknownModelError)
})

/**
 * @since 0.1.0
 * @category models
 */
export type InvalidRow = typeof InvalidRow.Type

const maxShown = 5

/**
 * Some rows are invalid. Rows are written 500 at a time: none of the 500 and no later row was enqueued. Correct the
 * rows and enqueue the batch again. Rows that it has already are not added twice.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRowsError extends Schema.TaggedError<InvalidRowsError>()("InvalidRowsError", {
  invalid: Schema.NonEmptyArray(InvalidRow)
}) {
  override get message(): string {
    const shown = this.invalid.slice(0, maxShown).map(({ error, row }) => `Row ${String(row)}: ${error.message}`)
    const rest = this.invalid.length - shown.length
    return [...shown, ...(rest > 0 ? [`${String(rest)} more rows are invalid.`] : [])].join("\n")
  }
}

/**
 * The batch has another row with this number, which stays as it was. Rows are written 500 at a time: none of the 500 and
 * no later row was enqueued.
 *
 * @since 0.1.0
 * @category errors
 */
export class RowConflictError extends Schema.TaggedError<RowConflictError>()("RowConflictError", {
  batch: Schema.String,
  row: Schema.Int
}) {
  override get message(): string {
    return (
      `The batch ${JSON.stringify(this.batch)} already has another row ${String(this.row)}. ` +
      "Enqueue changed rows as another batch."
    )
  }
}

/**
 * The database has no batch of this name.
 *
 * @since 0.1.0
 * @category errors
 */
export class BatchNotFoundError extends Schema.TaggedError<BatchNotFoundError>()("BatchNotFoundError", {
  batch: Schema.String
}) {
  override get message(): string {
    return `There is no batch ${JSON.stringify(this.batch)} in this database.`
  }
}

/**
 * The service refused several rows in a row for the same reason, which is not in the rows. They are queued again.
 *
 * @since 0.1.0
 * @category errors
 */
export class RowsRefusedError extends Schema.TaggedError<RowsRefusedError>()("RowsRefusedError", {
  rows: Schema.Int,
  error: ResponseError
}) {
  override get message(): string {
    return `The service refused ${String(this.rows)} rows in a row, so the runner stopped. ${this.error.message}`
  }
}

/**
 * Why a runner stopped. Each of these affects every row, so its rows are queued again, for the other runners or for its
 * next start.
 *
 * @since 0.1.0
 * @category models
 */
export type RunnerError =
  | AuthError
  | TokenStoreError
  | UnauthorizedError
  | RateLimitedError
  | TransportError
  | ResponseError
  | RowsRefusedError
  | SinkError
  | DatabaseError
