import * as Array from "effect/Array"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationStatus, Image } from "../../Generation.js"
import { RecordId } from "../../Generation.js"
import type { Answer } from "../http.js"
import { decodeJson, isRedirect, notFollowed, presentable } from "../http.js"

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

/** None where the answer is unreadable; an undefined id where it is a refusal. */
export const readSubmitted = (answer: Answer): Option.Option<RecordId | undefined> =>
  Option.map(readSubmittedJson(answer), ({ record_id }) => {
    const id = String(record_id ?? "")
    return isRecordId(id) ? id : undefined
  })

const ValidationIssue = Schema.Struct({
  loc: Schema.Array(Schema.Union(Schema.String, Schema.Number)),
  msg: Schema.String
})

const isIssues = Schema.is(Schema.Array(ValidationIssue))

const describe = (detail: unknown): string =>
  isIssues(detail)
    ? detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ")
    : Inspectable.toStringUnknown(detail ?? "", 0)

const readDetail = decodeJson(Schema.Struct({ detail: Schema.Unknown }))

/** What a refusal says: the FastAPI detail, or else the whole body. */
export const detail = (answer: Answer, secrets: ReadonlyArray<Redacted.Redacted>): string => {
  if (isRedirect(answer.status)) return notFollowed
  const text = Option.match(readDetail(answer), { onNone: () => answer.text, onSome: ({ detail }) => describe(detail) })
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

// An entry without a usable address must not cost its neighbours, and a page on https leads to nothing on http.
const imagesIn = (response: unknown, isSecure: boolean): ReadonlyArray<Image> =>
  Array.isArray(response)
    ? response.flatMap((entry: unknown, index) =>
        isImage(entry) ? [{ index, url: isSecure ? entry.url.replace(/^http:/i, "https:") : entry.url }] : []
      )
    : []

export const readStatus = (
  answer: Answer,
  { isSecure, secrets }: { readonly isSecure: boolean; readonly secrets: ReadonlyArray<Redacted.Redacted> }
): Option.Option<GenerationStatus> =>
  Option.map(readStatusJson(answer), ({ status, response, detail }): GenerationStatus => {
    if (status === "IN_QUEUE") return { _tag: "Queued" }
    if (status === "IN_PROGRESS") return { _tag: "InProgress" }
    const images = status === "DONE" ? imagesIn(response, isSecure) : []
    if (Array.isNonEmptyReadonlyArray(images)) return { _tag: "Done", images }
    const said = presentable(describe(detail), secrets)
    return { _tag: "Failed", status, detail: said === "" && status === "DONE" ? "no image came with it" : said }
  })
