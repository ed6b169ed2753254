import * as Array from "effect/Array"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationStatus, Image } from "../../Generation.js"
import { RecordId } from "../../Generation.js"
import type { BufferedResponse } from "../http.js"
import { decodeJson, isRedirect, notFollowed } from "../http.js"
import type { Secrets } from "../serviceText.js"
import { presentable } from "../serviceText.js"

export const form = (request: GenerateRequest): Record<string, string> => ({
  prompt: request.prompt,
  negative_prompt: request.negativePrompt,
  style: request.model,
  images_num: String(request.n),
  cfg_scale: String(request.guidanceScale),
  steps: String(request.numInferenceSteps),
  aspect_ratio: request.aspectRatio,
  seed: String(request.seed)
})

const Submitted = Schema.Struct({
  record_id: Schema.optional(Schema.NullOr(Schema.Union(Schema.Trim, Schema.Number)))
})

const readSubmittedJson = decodeJson(Submitted)
const isRecordId = Schema.is(RecordId)

/** `None` if the response is unreadable. `Some(undefined)` if it has no record id: the service refused the request. */
export const readSubmitted = (response: BufferedResponse): Option.Option<RecordId | undefined> =>
  Option.map(readSubmittedJson(response), ({ record_id }) => {
    const id = String(record_id ?? "")
    return isRecordId(id) ? id : undefined
  })

const ValidationIssue = Schema.Struct({
  loc: Schema.Array(Schema.Union(Schema.String, Schema.Number)),
  msg: Schema.String
})

const isValidationIssues = Schema.is(Schema.Array(ValidationIssue))

const formatDetail = (detail: unknown): string =>
  isValidationIssues(detail)
    ? detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ")
    : Inspectable.toStringUnknown(detail ?? "", 0)

const readDetail = decodeJson(Schema.Struct({ detail: Schema.Unknown }))

/** The explanation in a refusal: the FastAPI `detail`, or the whole body if there is none. */
export const detail = (response: BufferedResponse, secrets: Secrets): string => {
  if (isRedirect(response.status)) return notFollowed
  const text = Option.match(readDetail(response), {
    onNone: () => response.text,
    onSome: ({ detail }) => formatDetail(detail)
  })
  return presentable(text, secrets) || "no reason given"
}

const readStatusJson = decodeJson(
  Schema.Struct({
    status: Schema.NonEmptyString,
    response: Schema.optional(Schema.Unknown),
    detail: Schema.optional(Schema.Unknown)
  })
)

const isImage = Schema.is(Schema.Struct({ url: Schema.String.pipe(Schema.pattern(/^https?:/i)) }))

// Skips entries without a usable URL and keeps the others. If the API uses https, so do the image URLs.
const imagesIn = (entries: unknown, isSecure: boolean): ReadonlyArray<Image> =>
  Array.isArray(entries)
    ? entries.flatMap((entry: unknown, index) =>
        isImage(entry) ? [{ index, url: isSecure ? entry.url.replace(/^http:/i, "https:") : entry.url }] : []
      )
    : []

export const readStatus = (
  statusResponse: BufferedResponse,
  { isSecure, secrets }: { readonly isSecure: boolean; readonly secrets: Secrets }
): Option.Option<GenerationStatus> =>
  Option.map(readStatusJson(statusResponse), ({ status, response, detail }): GenerationStatus => {
    if (status === "IN_QUEUE") return { _tag: "Queued" }
    if (status === "IN_PROGRESS") return { _tag: "InProgress" }
    const images = status === "DONE" ? imagesIn(response, isSecure) : []
    if (Array.isNonEmptyReadonlyArray(images)) return { _tag: "Done", images }
    const reason = presentable(formatDetail(detail), secrets)
    return {
      _tag: "Failed",
      status,
      detail: reason === "" && status === "DONE" ? "the response contains no image" : reason
    }
  })
