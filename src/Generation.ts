/**
 * The data of a generation: its record id, status, events, and images.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { GenerateRequest } from "./GenerateRequest.js"

/**
 * The service's id of a submitted generation. Store it to resume the generation later, with `Arta.watch`.
 *
 * @since 0.1.0
 * @category models
 */
export const RecordId = Schema.NonEmptyTrimmedString.pipe(
  // `encodeURIComponent` throws on a lone surrogate, and a URL resolves . and .. as directories. The others are invisible
  // or could act on a terminal.
  Schema.filter((id) => !/^\.\.?$|[\p{Cs}\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(id)),
  Schema.brand("effect-arta/RecordId"),
  Schema.annotations({ identifier: "ArtaRecordId" })
)

/**
 * @since 0.1.0
 * @category models
 */
export type RecordId = typeof RecordId.Type

/**
 * A finished image. `index` counts from 0, in the order of the service's list.
 *
 * @since 0.1.0
 * @category models
 */
export const Image = Schema.Struct({
  index: Schema.NonNegativeInt,
  url: Schema.String
}).annotations({ identifier: "ArtaImage" })

/**
 * @since 0.1.0
 * @category models
 */
export type Image = typeof Image.Type

/**
 * The status of a generation at one poll. In `Done`, `missing` counts the entries without a usable URL, 0 by default.
 * In `Failed`, `status` is the service's name for the failure.
 *
 * @since 0.1.0
 * @category models
 */
export const GenerationStatus = /* @__PURE__ */ Schema.Union(
  Schema.TaggedStruct("Queued", {}),
  Schema.TaggedStruct("InProgress", {}),
  Schema.TaggedStruct("Done", { images: Schema.NonEmptyArray(Image), missing: Schema.optional(Schema.NonNegativeInt) }),
  Schema.TaggedStruct("Failed", { status: Schema.String, detail: Schema.String })
).annotations({ identifier: "ArtaGenerationStatus" })

/**
 * @since 0.1.0
 * @category models
 */
export type GenerationStatus = typeof GenerationStatus.Type

/**
 * The service accepted the request and charges for it. `request` holds the model and the seed that were used.
 *
 * @since 0.1.0
 * @category events
 */
export class Submitted extends Schema.TaggedClass<Submitted>("ArtaSubmitted")("Submitted", {
  recordId: RecordId,
  request: GenerateRequest
}) {}

/**
 * The generation is in the service's queue. In this and every later event, `elapsed` is the time since the submission
 * began, or since the call of `watch`.
 *
 * @since 0.1.0
 * @category events
 */
export class Queued extends Schema.TaggedClass<Queued>("ArtaQueued")("Queued", {
  recordId: RecordId,
  elapsed: Schema.Duration
}) {}

/**
 * The service is generating the images.
 *
 * @since 0.1.0
 * @category events
 */
export class InProgress extends Schema.TaggedClass<InProgress>("ArtaInProgress")("InProgress", {
  recordId: RecordId,
  elapsed: Schema.Duration
}) {}

/** What a generation delivered. */
const outcome = {
  recordId: RecordId,
  images: Schema.NonEmptyArray(Image),
  elapsed: Schema.Duration,
  request: Schema.optionalWith(GenerateRequest, { exact: true }),
  missing: Schema.optionalWith(Schema.NonNegativeInt, { default: () => 0 })
}

/**
 * The images are ready. This is the last event. `request` is absent unless this program submitted the generation.
 * `missing` counts the requested images that did not come.
 *
 * @since 0.1.0
 * @category events
 */
export class Completed extends Schema.TaggedClass<Completed>("ArtaCompleted")("Completed", outcome, [
  undefined,
  { identifier: "ArtaCompleted" }
]) {
  /** The number of images that were requested. */
  get requested(): number {
    return this.request?.n ?? this.images.length + this.missing
  }
}

/**
 * An event of a generation. Events are emitted when the status changes, not at every poll.
 *
 * @since 0.1.0
 * @category events
 */
export const GenerationEvent = /* @__PURE__ */ Schema.Union(Submitted, Queued, InProgress, Completed)

/**
 * @since 0.1.0
 * @category events
 */
export type GenerationEvent = typeof GenerationEvent.Type

/**
 * A finished generation. `request` is absent unless this program submitted it. `missing` counts the requested images
 * that did not come.
 *
 * @since 0.1.0
 * @category models
 */
export class Generation extends Schema.Class<Generation>("ArtaGeneration")(outcome, [
  undefined,
  { identifier: "ArtaGeneration" }
]) {
  /** The number of images that were requested. */
  get requested(): number {
    return this.request?.n ?? this.images.length + this.missing
  }
}
