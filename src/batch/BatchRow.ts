/**
 * The rows of a durable batch: what is enqueued, and how each row ends.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ArtaError } from "../ArtaError.js"
import type { Options } from "../GenerateRequest.js"
import { GenerateRequest } from "../GenerateRequest.js"
import { RecordId } from "../Generation.js"
import { SavedImage, SinkError } from "./ImageSink.js"

/**
 * A row to enqueue: the options of a generation, and the name of its images.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly options: Options
  /**
   * How the names of the images start, as in `name-0.png`. Default: the number of the row, the prompt and the seed, as
   * in `00042-a-fox-48213377`.
   */
  readonly name?: string | undefined
}

/**
 * Where a row stands. `queued` and `running` rows are open, all others have ended. A row is `unknown` if the service
 * may or may not have accepted its submission. It is not sent again unless `DurableBatch.retryUnknown` says so.
 *
 * @since 0.1.0
 * @category models
 */
export const RowState = Schema.Literal("queued", "running", "saved", "failed", "unknown", "cancelled")

/**
 * @since 0.1.0
 * @category models
 */
export type RowState = typeof RowState.Type

/**
 * Why a row failed.
 *
 * @since 0.1.0
 * @category models
 */
export const RowError = /* @__PURE__ */ Schema.Union(ArtaError, SinkError)

/**
 * @since 0.1.0
 * @category models
 */
export type RowError = typeof RowError.Type

/**
 * How a row ended. In `Saved`, `missing` counts the requested images that did not come. With a `recordId`,
 * `Arta.resume` can still get the images of a row that failed.
 *
 * @since 0.1.0
 * @category models
 */
export const RowOutcome = /* @__PURE__ */ Schema.Union(
  Schema.TaggedStruct("Saved", {
    recordId: RecordId,
    images: Schema.Array(SavedImage),
    missing: Schema.NonNegativeInt
  }),
  Schema.TaggedStruct("Failed", { error: RowError, recordId: Schema.optionalWith(RecordId, { exact: true }) }),
  Schema.TaggedStruct("Unknown", { reason: Schema.String }),
  Schema.TaggedStruct("Cancelled", {})
).annotations({ identifier: "ArtaRowOutcome" })

/**
 * @since 0.1.0
 * @category models
 */
export type RowOutcome = typeof RowOutcome.Type

/**
 * A row that has ended. `row` is its number in the batch, from 1.
 *
 * @since 0.1.0
 * @category models
 */
export class RowResult extends Schema.Class<RowResult>("ArtaRowResult")({
  batch: Schema.String,
  row: Schema.Positive.pipe(Schema.int()),
  name: Schema.String,
  request: GenerateRequest,
  outcome: RowOutcome
}) {}
