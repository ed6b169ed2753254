/**
 * Every way in which the library fails, each a tagged error to be handled by name.
 *
 * The errors are schemas, so they cross process and RPC boundaries. Their messages tell a person what to do, and none
 * holds a token or an API key. An error after a submit carries the `recordId`, which `Arta.watch` resumes.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { Stream } from "effect"
 *
 * export const patient = Arta.generate({ prompt: "a lighthouse" }).pipe(
 *   Stream.catchTag("GenerationTimeoutError", (error) =>
 *     error.recordId === undefined ? Stream.fail(error) : Arta.watch(error.recordId)
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { GenerateRequest } from "./GenerateRequest.js"
import { RecordId } from "./Generation.js"
import * as messages from "./internal/errorMessages.js"

/**
 * What the library was doing when a service did not answer as it should.
 *
 * @since 0.1.0
 * @category models
 */
export const Operation = Schema.Literal(...Struct.keys(messages.activity))

/**
 * @since 0.1.0
 * @category models
 */
export type Operation = typeof Operation.Type

const recordId = Schema.optional(RecordId)

/**
 * An option is not usable. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequestError extends Schema.TaggedError<InvalidRequestError>("effect-arta/InvalidRequestError")(
  "InvalidRequestError",
  {
    field: Schema.String,
    value: Schema.Unknown,
    allowed: Schema.String
  }
) {
  override get message(): string {
    return `The option ${this.field} is ${messages.shown(this.value)}, but has to be ${this.allowed}.`
  }
}

/**
 * No model has that name. `suggestions` holds the closest ones, closest first. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownModelError extends Schema.TaggedError<UnknownModelError>("effect-arta/UnknownModelError")(
  "UnknownModelError",
  {
    model: Schema.String,
    suggestions: Schema.Array(Schema.String)
  }
) {
  override get message(): string {
    return `There is no model ${JSON.stringify(this.model)}. Did you mean ${this.suggestions.join(", ")}?`
  }
}

/**
 * The identity service's own error codes. The two `API_KEY_*` reasons stand for messages without a code.
 *
 * @since 0.1.0
 * @category models
 */
export const AuthReason = Schema.Literal(...Struct.keys(messages.byAuthReason))

/**
 * @since 0.1.0
 * @category models
 */
export type AuthReason = typeof AuthReason.Type

/**
 * The identity service refuses the API key, the sign-up or the session, and asking again would not help.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthError extends Schema.TaggedError<AuthError>("effect-arta/AuthError")("AuthError", {
  reason: AuthReason,
  recordId
}) {
  override get message(): string {
    return messages.byAuthReason[this.reason] + messages.resumable(this.recordId)
  }
}

/**
 * The place where the session is kept cannot be used. `path` is a file, or the key in a key-value store.
 *
 * @since 0.1.0
 * @category errors
 */
export class TokenStoreError extends Schema.TaggedError<TokenStoreError>("effect-arta/TokenStoreError")(
  "TokenStoreError",
  {
    operation: Schema.Literal("load", "save", "clear", "lock"),
    path: Schema.String,
    reason: Schema.optionalWith(Schema.String, { default: () => "no reason given" }),
    recordId
  }
) {
  override get message(): string {
    return (
      `Could not ${this.operation} the session at ${this.path}: ${this.reason}.` + messages.resumable(this.recordId)
    )
  }
}

/**
 * No usable answer came. `sent` is `false` only where nothing can have reached the server.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransportError extends Schema.TaggedError<TransportError>("effect-arta/TransportError")("TransportError", {
  operation: Operation,
  reason: Schema.String,
  sent: Schema.Boolean,
  recordId
}) {
  override get message(): string {
    return (
      `No usable answer when ${messages.activity[this.operation]}: ${this.reason}.` + messages.resumable(this.recordId)
    )
  }
}

/**
 * A definite refusal such as 400, 403 or 422, or an answer outside the protocol. `status` is the HTTP status, `detail`
 * what the service said.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResponseError extends Schema.TaggedError<ResponseError>("effect-arta/ResponseError")("ResponseError", {
  operation: Operation,
  status: Schema.Int,
  detail: Schema.String,
  recordId
}) {
  override get message(): string {
    const answer = `The service answered ${String(this.status)} when ${messages.activity[this.operation]}: ${this.detail}`
    return messages.sentence(answer) + messages.resumable(this.recordId)
  }
}

/**
 * The API refused a token that had just been renewed.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnauthorizedError extends Schema.TaggedError<UnauthorizedError>("effect-arta/UnauthorizedError")(
  "UnauthorizedError",
  { operation: Schema.optional(Operation), recordId }
) {
  override get message(): string {
    return (
      "The service refused a fresh token: the API key may belong to another service." +
      messages.resumable(this.recordId)
    )
  }
}

/**
 * The service asks for fewer requests. `retryAfter` is how long it wants to be left alone, where it said so.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimitedError extends Schema.TaggedError<RateLimitedError>("effect-arta/RateLimitedError")(
  "RateLimitedError",
  {
    operation: Operation,
    retryAfter: Schema.optional(Schema.Duration),
    recordId
  }
) {
  override get message(): string {
    const when = this.retryAfter === undefined ? "later" : `in ${Duration.format(this.retryAfter)}`
    return (
      `Too many requests when ${messages.activity[this.operation]}: try again ${when}.` +
      messages.resumable(this.recordId)
    )
  }
}

/**
 * The service may or may not have accepted the submission. It is never sent again by itself: that could be paid twice.
 *
 * @since 0.1.0
 * @category errors
 */
export class SubmissionUnknownError extends Schema.TaggedError<SubmissionUnknownError>(
  "effect-arta/SubmissionUnknownError"
)("SubmissionUnknownError", {
  request: GenerateRequest,
  reason: Schema.optionalWith(Schema.String, { default: () => "no usable answer came" })
}) {
  override get message(): string {
    return (
      `It is unknown whether the service accepted the generation: ${this.reason}. ` +
      "It was not sent again: that could be paid twice."
    )
  }
}

/**
 * The service gave up on the generation. `status` is its own name for that.
 *
 * @since 0.1.0
 * @category errors
 */
export class GenerationFailedError extends Schema.TaggedError<GenerationFailedError>(
  "effect-arta/GenerationFailedError"
)("GenerationFailedError", { recordId: RecordId, status: Schema.String, detail: Schema.String }) {
  override get message(): string {
    const detail = this.detail === "" ? "" : `: ${this.detail}`
    return messages.sentence(`The generation ${this.recordId} ended as ${this.status}${detail}`)
  }
}

/**
 * The generation exceeded its timeout, or its polling schedule ended. Without a `recordId`, the submission got no
 * response: `request` is what the service may have accepted. Without both, the service accepted nothing.
 *
 * @since 0.1.0
 * @category errors
 */
export class GenerationTimeoutError extends Schema.TaggedError<GenerationTimeoutError>(
  "effect-arta/GenerationTimeoutError"
)("GenerationTimeoutError", {
  recordId,
  elapsed: Schema.Duration,
  lastStatus: Schema.optional(Schema.Literal("IN_QUEUE", "IN_PROGRESS")),
  request: Schema.optional(GenerateRequest)
}) {
  override get message(): string {
    const after = `after ${Duration.format(this.elapsed)}`
    if (this.recordId !== undefined) {
      return (
        `The generation ${this.recordId} is not finished ${after} (${this.lastStatus ?? "status unknown"}).` +
        messages.resumable(this.recordId)
      )
    }
    return this.request === undefined
      ? `The service had accepted nothing ${after}.`
      : `The submission had no answer ${after}. The service may still have accepted it.`
  }
}

/**
 * An image could not be fetched, or, where there is a `path`, not be written to that folder.
 *
 * @since 0.1.0
 * @category errors
 */
export class DownloadError
  extends /* @__PURE__ */ Schema.TaggedError<DownloadError>("effect-arta/DownloadError")("DownloadError", {
    url: Schema.String,
    reason: Schema.String,
    path: Schema.optional(Schema.String),
    recordId
  })
{
  override get message(): string {
    const what = this.path === undefined ? `download ${this.url}` : `save ${this.url} to ${this.path}`
    return `Could not ${what}: ${this.reason}.`
  }
}

/**
 * Every error of the library.
 *
 * @since 0.1.0
 * @category unions
 */
export const ArtaError = /* @__PURE__ */ Schema.Union(
  InvalidRequestError,
  UnknownModelError,
  AuthError,
  TokenStoreError,
  TransportError,
  ResponseError,
  UnauthorizedError,
  RateLimitedError,
  SubmissionUnknownError,
  GenerationFailedError,
  GenerationTimeoutError,
  DownloadError
)

/**
 * @since 0.1.0
 * @category unions
 */
export type ArtaError = typeof ArtaError.Type
