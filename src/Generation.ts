/**
 * The vocabulary of a generation: its id, where it stands, the events it emits and the images it ends with.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { GenerateRequest } from "./GenerateRequest.js"

/**
 * What the service calls a submitted generation. Keep it: with it a generation can be picked up again.
 *
 * @since 0.1.0
 * @category models
 */
export const RecordId = Schema.NonEmptyTrimmedString.pipe(
  // Half a surrogate pair cannot be part of a URL.
  Schema.filter((id) => !/\p{Surrogate}/u.test(id)),
  Schema.brand("effect-arta/RecordId")
)

/**
 * @since 0.1.0
 * @category models
 */
export type RecordId = typeof RecordId.Type

/**
 * One finished image. `index` counts from 0 in the order in which the service lists them.
 *
 * @since 0.1.0
 * @category models
 */
export const Image = Schema.Struct({
  index: Schema.NonNegativeInt,
  url: Schema.String
}).annotations({ identifier: "effect-arta/Image" })

/**
 * @since 0.1.0
 * @category models
 */
export type Image = typeof Image.Type

/**
 * Where a generation stands, as one status request tells it. `Failed` carries the service's own name for the failure.
 *
 * @since 0.1.0
 * @category models
 */
export const GenerationStatus = /* @__PURE__ */ Schema.Union(
  Schema.TaggedStruct("Queued", {}),
  Schema.TaggedStruct("InProgress", {}),
  Schema.TaggedStruct("Done", { images: Schema.NonEmptyArray(Image) }),
  Schema.TaggedStruct("Failed", { status: Schema.String, detail: Schema.String })
).annotations({ identifier: "effect-arta/GenerationStatus" })

/**
 * @since 0.1.0
 * @category models
 */
export type GenerationStatus = typeof GenerationStatus.Type

/**
 * The service accepted the request: from here on the generation is paid for. `request` holds the model and the seed
 * that were really used.
 *
 * @since 0.1.0
 * @category events
 */
export class Submitted extends Schema.TaggedClass<Submitted>("effect-arta/Submitted")("Submitted", {
  recordId: RecordId,
  request: GenerateRequest
}) {}

/**
 * The generation waits for its turn. `elapsed` is the time since the call, here and in every later event.
 *
 * @since 0.1.0
 * @category events
 */
export class Queued extends Schema.TaggedClass<Queued>("effect-arta/Queued")("Queued", {
  recordId: RecordId,
  elapsed: Schema.Duration
}) {}

/**
 * The service is drawing.
 *
 * @since 0.1.0
 * @category events
 */
export class InProgress extends Schema.TaggedClass<InProgress>("effect-arta/InProgress")("InProgress", {
  recordId: RecordId,
  elapsed: Schema.Duration
}) {}

/**
 * The images are ready. This is the last event.
 *
 * @since 0.1.0
 * @category events
 */
export class Completed extends Schema.TaggedClass<Completed>("effect-arta/Completed")("Completed", {
  recordId: RecordId,
  images: Schema.NonEmptyArray(Image),
  elapsed: Schema.Duration
}) {}

/**
 * What happens to a generation, in order. An event is emitted when the state changes, not at every poll.
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
 * A finished generation. `request` is there unless the generation was picked up by its id alone.
 *
 * @since 0.1.0
 * @category models
 */
export class Generation extends Schema.Class<Generation>("effect-arta/Generation")({
  recordId: RecordId,
  images: Schema.NonEmptyArray(Image),
  elapsed: Schema.Duration,
  request: Schema.optionalWith(GenerateRequest, { exact: true })
}) {}
