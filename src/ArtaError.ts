/**
 * The tagged errors of the library, for `Effect.catchTag` and `Effect.catchTags`.
 *
 * The errors are schemas, so they cross process and RPC boundaries. Each message says what happened and, where
 * possible, what to do, and no message contains a token or an API key. An error raised after a submission carries the
 * `recordId`: pass it to `Arta.watch` to resume the generation.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { Stream } from "effect"
 *
 * export const events = Arta.generate({ prompt: "a lighthouse" }).pipe(
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
import * as httpStatus from "./internal/httpStatus.js"

/**
 * The request that failed.
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
 * An option is invalid. Nothing was sent. `value` shows the value on one line of at most 100 characters, and `allowed`
 * describes the values that the option accepts.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidRequestError extends Schema.TaggedError<InvalidRequestError>()(
  "InvalidRequestError",
  { field: Schema.String, value: Schema.String, allowed: Schema.String },
  httpStatus.badRequest
) {
  override get message(): string {
    return `The option ${this.field} is ${this.value}, but must be ${this.allowed}.`
  }
}

/**
 * No model has this name. Nothing was sent. `suggestions` lists the closest aliases, closest first.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownModelError extends Schema.TaggedError<UnknownModelError>()(
  "UnknownModelError",
  { model: Schema.String, suggestions: Schema.Array(Schema.String) },
  httpStatus.notFound
) {
  override get message(): string {
    return `There is no model ${messages.shown(this.model)}. Did you mean ${this.suggestions.join(", ")}?`
  }
}

/**
 * The error code of the identity service. `API_KEY_INVALID`, `API_KEY_EXPIRED` and `API_KEY_MISSING` stand for messages
 * without a code.
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
 * The identity service refused the API key, the sign-up, or the session. A retry does not help.
 *
 * @since 0.1.0
 * @category errors
 */
export class AuthError extends Schema.TaggedError<AuthError>()(
  "AuthError",
  { reason: AuthReason, recordId },
  httpStatus.failedDependency
) {
  override get message(): string {
    return messages.byAuthReason[this.reason] + messages.resumable(this.recordId)
  }
}

/**
 * The token store could not load, save, clear, or lock the session. `path` is the file, or the key in a key-value
 * store.
 *
 * @since 0.1.0
 * @category errors
 */
export class TokenStoreError extends Schema.TaggedError<TokenStoreError>()(
  "TokenStoreError",
  {
    operation: Schema.Literal("load", "save", "clear", "lock"),
    path: Schema.String,
    reason: Schema.optionalWith(Schema.String, { default: () => "no reason given" }),
    recordId
  },
  [undefined, { ...httpStatus.failedDependency, identifier: "TokenStoreError" }]
) {
  override get message(): string {
    const failure = `Could not ${this.operation} the session at ${this.path}: ${this.reason}`
    return messages.asSentence(failure) + messages.resumable(this.recordId)
  }
}

/**
 * No usable response arrived. `sent` is `false` only if the request cannot have reached the server.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransportError extends Schema.TaggedError<TransportError>()(
  "TransportError",
  { operation: Operation, reason: Schema.String, sent: Schema.Boolean, recordId },
  httpStatus.failedDependency
) {
  override get message(): string {
    const failure = `No usable response while ${messages.activity[this.operation]}: ${this.reason}`
    return messages.asSentence(failure) + messages.resumable(this.recordId)
  }
}

/**
 * The service refused the request, for example with 400, 403, or 422, or its response does not follow the protocol.
 * `status` is the HTTP status and `detail` is the service's explanation.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResponseError extends Schema.TaggedError<ResponseError>()(
  "ResponseError",
  { operation: Operation, status: Schema.Int, detail: Schema.String, recordId },
  httpStatus.failedDependency
) {
  override get message(): string {
    const refusal = `The service returned HTTP ${String(this.status)} while ${messages.activity[this.operation]}: ${this.detail}`
    return messages.asSentence(refusal) + messages.resumable(this.recordId)
  }
}

/**
 * The API refused a token that was refreshed a moment ago. `reason` is the service's explanation, if it gave one.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnauthorizedError extends Schema.TaggedError<UnauthorizedError>()(
  "UnauthorizedError",
  { operation: Schema.optional(Operation), reason: Schema.optional(Schema.String), recordId },
  httpStatus.failedDependency
) {
  override get message(): string {
    const refusal = "The service refused a refreshed token: check the API key."
    return refusal + messages.responded(this.reason) + messages.resumable(this.recordId)
  }
}

/**
 * The service limits the request rate. `retryAfter` is how long to wait, if the service said so, and `reason` is its
 * explanation, if it gave one.
 *
 * @since 0.1.0
 * @category errors
 */
export class RateLimitedError extends Schema.TaggedError<RateLimitedError>()(
  "RateLimitedError",
  {
    operation: Operation,
    retryAfter: Schema.optional(Schema.Duration),
    reason: Schema.optional(Schema.String),
    recordId
  },
  httpStatus.tooManyRequests
) {
  override get message(): string {
    const when = this.retryAfter === undefined ? "later" : `in ${Duration.format(this.retryAfter)}`
    const limit = `Too many requests while ${messages.activity[this.operation]}: try again ${when}.`
    return limit + messages.responded(this.reason) + messages.resumable(this.recordId)
  }
}

/**
 * The service may or may not have accepted the submission. It is not resent, because the service could charge for both.
 *
 * @since 0.1.0
 * @category errors
 */
export class SubmissionUnknownError extends Schema.TaggedError<SubmissionUnknownError>()(
  "SubmissionUnknownError",
  {
    request: GenerateRequest,
    reason: Schema.optionalWith(Schema.String, { default: () => "no usable response arrived" })
  },
  [undefined, { ...httpStatus.failedDependency, identifier: "SubmissionUnknownError" }]
) {
  override get message(): string {
    const doubt = `The service may or may not have accepted the generation: ${this.reason}`
    return messages.asSentence(doubt) + " It was not sent again: both could be charged."
  }
}

/**
 * The generation failed. `status` is the service's name for the failure, and `detail` its explanation.
 *
 * @since 0.1.0
 * @category errors
 */
export class GenerationFailedError extends Schema.TaggedError<GenerationFailedError>()(
  "GenerationFailedError",
  { recordId: RecordId, status: Schema.String, detail: Schema.String },
  httpStatus.unprocessable
) {
  override get message(): string {
    const detail = this.detail === "" ? "" : `: ${this.detail}`
    return messages.asSentence(`The generation ${this.recordId} ended with status ${this.status}${detail}`)
  }
}

/**
 * The generation exceeded its timeout, or its polling schedule ended. With a `recordId`, it may still finish. With only
 * a `request`, the submission got no response, and may have been accepted. With neither, nothing was submitted.
 * `reason` says why the last poll failed, if it did.
 *
 * @since 0.1.0
 * @category errors
 */
export class GenerationTimeoutError extends Schema.TaggedError<GenerationTimeoutError>()(
  "GenerationTimeoutError",
  {
    recordId,
    elapsed: Schema.Duration,
    lastStatus: Schema.optional(Schema.Literal("IN_QUEUE", "IN_PROGRESS")),
    reason: Schema.optional(Schema.String),
    request: Schema.optional(GenerateRequest)
  },
  httpStatus.failedDependency
) {
  override get message(): string {
    const after = `after ${Duration.format(this.elapsed)}`
    if (this.recordId !== undefined) {
      const lastPoll = this.reason === undefined ? "" : messages.asSentence(` The last poll failed: ${this.reason}`)
      return (
        `The generation ${this.recordId} has not finished ${after} (${this.lastStatus ?? "status unknown"}).` +
        lastPoll +
        messages.resumable(this.recordId)
      )
    }
    return this.request === undefined
      ? `Nothing was submitted within ${Duration.format(this.elapsed)}: use a longer timeout.`
      : `The service may have accepted the generation, but has not responded ${after}.`
  }
}

/**
 * An image could not be downloaded. With a `path`, it could not be saved to that directory. The message shows the `url`
 * without its query, which may hold a signature.
 *
 * @since 0.1.0
 * @category errors
 */
export class DownloadError
  extends /* @__PURE__ */ Schema.TaggedError<DownloadError>()(
    "DownloadError",
    { url: Schema.String, reason: Schema.String, path: /* @__PURE__ */ Schema.optional(Schema.String), recordId },
    httpStatus.failedDependency
  )
{
  override get message(): string {
    const url = this.url.replace(/[?#].*/s, "")
    const what = this.path === undefined ? `download ${url}` : `save ${url} to ${this.path}`
    return messages.asSentence(`Could not ${what}: ${this.reason}`)
  }
}

/**
 * The errors of `Arta.submit`.
 *
 * @since 0.1.0
 * @category unions
 */
export const SubmitError = /* @__PURE__ */ Schema.Union(
  InvalidRequestError,
  UnknownModelError,
  AuthError,
  TokenStoreError,
  TransportError,
  ResponseError,
  UnauthorizedError,
  RateLimitedError,
  SubmissionUnknownError,
  GenerationTimeoutError
)

/**
 * @since 0.1.0
 * @category unions
 */
export type SubmitError = typeof SubmitError.Type

/**
 * The errors of `Arta.watch` and `Arta.resume`.
 *
 * @since 0.1.0
 * @category unions
 */
export const WatchError = /* @__PURE__ */ Schema.Union(
  InvalidRequestError,
  AuthError,
  TokenStoreError,
  TransportError,
  ResponseError,
  UnauthorizedError,
  RateLimitedError,
  GenerationFailedError,
  GenerationTimeoutError
)

/**
 * @since 0.1.0
 * @category unions
 */
export type WatchError = typeof WatchError.Type

/**
 * The errors of `Arta.run`.
 *
 * @since 0.1.0
 * @category unions
 */
export const RunError = /* @__PURE__ */ Schema.Union(SubmitError, GenerationFailedError)

/**
 * @since 0.1.0
 * @category unions
 */
export type RunError = typeof RunError.Type

/**
 * The errors of `Arta.generate`.
 *
 * @since 0.1.0
 * @category unions
 */
export const GenerateError = /* @__PURE__ */ Schema.Union(SubmitError, GenerationFailedError)

/**
 * @since 0.1.0
 * @category unions
 */
export type GenerateError = typeof GenerateError.Type

/**
 * Any error of the library.
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
