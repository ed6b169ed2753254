import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import type { ArtaError, DownloadError, InvalidRequestError, RunError } from "../../ArtaError.js"
import { requestIdHeader } from "./requestIdHeader.js"

type Type = "invalid_request_error" | "authentication_error" | "rate_limit_error" | "generation_error"

/**
 * A failure as OpenAI's clients read it. They resend a request after 408, 409, 429 and 5xx, so an error that can follow
 * an accepted submission has none of these statuses: it would be paid twice.
 */
export class ApiError extends Data.TaggedError("ApiError")<{
  readonly status: number
  readonly message: string
  readonly type: Type
  readonly code: string
  /** The field of the request that is at fault. */
  readonly param?: string | undefined
  /** The accepted generation. */
  readonly recordId?: string | undefined
  /** Finds a submission that the service may have accepted without a response. */
  readonly seed?: number | undefined
  readonly retryAfter?: Duration.Duration | undefined
}> {
  /** Whether the service may charge for the request, so that another submission of it could be paid twice. */
  get mayBePaid(): boolean {
    return this.recordId !== undefined || this.seed !== undefined
  }
}

/** The request is at fault, and nothing was submitted. */
export const badRequest = (message: string, param?: string, status = 400, code = "invalid_request"): ApiError =>
  new ApiError({ status, message, type: "invalid_request_error", code, param })

/** The names that the endpoint has for the options of the library. */
const params: Readonly<Record<string, string>> = {
  negativePrompt: "negative_prompt",
  numInferenceSteps: "steps",
  guidanceScale: "guidance_scale",
  aspectRatio: "aspect_ratio"
}

const invalidOption = ({ allowed, field, value }: InvalidRequestError): ApiError => {
  const param = params[field] ?? field
  const [limit] = allowed.split(", unless", 1)
  return badRequest(`${param} must be ${limit ?? allowed}, not ${value}.`, param)
}

const snakeCase = (tag: string): string =>
  tag
    .replace(/Error$/, "")
    .replace(/\B[A-Z]/g, (letter) => `_${letter}`)
    .toLowerCase()

const generationError = (error: ArtaError, status: number, message = error.message): ApiError =>
  new ApiError({
    status,
    message,
    type: "generation_error",
    code: snakeCase(error._tag),
    recordId: "recordId" in error ? error.recordId : undefined
  })

/** The request that returns the images of an accepted generation. */
export const resumingRequest = (recordId: string): string =>
  `GET /v1/images/generations/${encodeURIComponent(recordId)}`

const howToResume = (recordId: string | undefined): string =>
  recordId === undefined ? "" : ` ${resumingRequest(recordId)} returns them.`

const lookFirst = (seed: number): string =>
  ` Look for it among your images at the service before you send it again (seed ${String(seed)}).`

const unknownSubmission = (error: ArtaError, seed: number): ApiError =>
  new ApiError({
    status: 424,
    message: error.message + lookFirst(seed),
    type: "generation_error",
    code: snakeCase(error._tag),
    seed
  })

/** What a client is told about a failure of the library. */
export const fromArtaError = (error: RunError | DownloadError): ApiError => {
  switch (error._tag) {
    case "InvalidRequestError":
      return invalidOption(error)
    case "UnknownModelError":
      return badRequest(error.message, "model", 404, "model_not_found")
    case "RateLimitedError":
      return error.recordId === undefined
        ? new ApiError({
            status: 429,
            message: error.message,
            type: "rate_limit_error",
            code: "rate_limit_exceeded",
            retryAfter: error.retryAfter
          })
        : generationError(error, 424, error.message + howToResume(error.recordId))
    case "GenerationFailedError":
      return generationError(error, 422)
    case "SubmissionUnknownError":
      return unknownSubmission(error, error.request.seed)
    case "GenerationTimeoutError":
      return error.request === undefined
        ? generationError(error, 424, error.message + howToResume(error.recordId))
        : unknownSubmission(error, error.request.seed)
    case "DownloadError":
      return generationError(error, 424, error.message)
    default:
      return generationError(error, 424, error.message + howToResume(error.recordId))
  }
}

/** The server stops, and nothing of this request was submitted: it is safe to send it again. */
export const notStarted = new ApiError({
  status: 503,
  message: "The server is stopping, and nothing was submitted. Send the request again once it runs.",
  type: "generation_error",
  code: "server_stopping"
})

const ended = (
  code: string,
  recordId: string | undefined,
  seed: number,
  message: {
    readonly accepted: (recordId: string) => string
    readonly unknown: string
  }
): ApiError =>
  new ApiError({
    status: 424,
    type: "generation_error",
    code,
    ...(recordId === undefined
      ? {
          seed,
          message: message.unknown + lookFirst(seed)
        }
      : { recordId, message: message.accepted(recordId) })
  })

/** The server stops before the generation has ended. */
export const stopped = (recordId: string | undefined, seed: number): ApiError =>
  ended("server_stopped", recordId, seed, {
    accepted: (id) =>
      `The server has stopped. The generation ${id} may still finish: ${resumingRequest(id)} returns its images once the server runs again.`,
    unknown: "The server has stopped. The service may or may not have accepted the generation."
  })

/** A defect of the server. */
export const unexpected = (recordId: string | undefined, seed: number): ApiError =>
  ended("unexpected", recordId, seed, {
    accepted: (id) =>
      `An unexpected error occurred: look into the log of the server. The generation ${id} may still finish.${howToResume(id)}`,
    unknown:
      "An unexpected error occurred: look into the log of the server. The service may or may not have accepted the generation."
  })

/** The error as the body of a response or the data of an event. */
export const toBody = ({ code, message, param, recordId, seed, type }: ApiError) => {
  const found = {
    ...(recordId !== undefined && { record_id: recordId }),
    ...(seed !== undefined && { seed })
  }
  // OpenAI's clients show the object `error` only.
  return {
    error: { message, type, param: param ?? null, code, ...found },
    ...found
  }
}

const seconds = (duration: Duration.Duration): string => String(Math.ceil(Duration.toSeconds(duration)))

export const toResponse = (error: ApiError): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson(toBody(error), {
    status: error.status,
    headers: {
      "x-should-retry": "false",
      ...(error.status === 401 && { "www-authenticate": "Bearer" }),
      ...requestIdHeader(error.recordId),
      ...(error.retryAfter !== undefined && {
        "retry-after": seconds(error.retryAfter)
      })
    }
  })
