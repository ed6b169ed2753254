import * as Array from "effect/Array"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "../GenerateRequest.js"
import type { GenerationStatus } from "../Generation.js"
import { RecordId } from "../Generation.js"
import type { Answer } from "./http.js"
import { decodeJson, presentable } from "./http.js"

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

export const readSubmitted = decodeJson(Schema.Struct({ record_id: Schema.optional(Schema.NullOr(RecordId)) }))

const ValidationIssue = Schema.Struct({
  loc: Schema.Array(Schema.Union(Schema.String, Schema.Number)),
  msg: Schema.String
})

const Detail = Schema.Union(Schema.String, Schema.Array(ValidationIssue))

const describe = (detail: typeof Detail.Type): string =>
  typeof detail === "string" ? detail : detail.map(({ loc, msg }) => `${loc.join(".")}: ${msg}`).join("; ")

const readDetail = decodeJson(Schema.Struct({ detail: Detail }))

/** What a refusal says: the FastAPI detail, or else the whole body. */
export const detail = (answer: Answer, secrets: ReadonlyArray<Redacted.Redacted>): string => {
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
const decodePictures = Schema.decodeUnknownOption(Schema.NonEmptyArray(Schema.Struct({ url: Schema.NonEmptyString })))
const decodeDetail = Schema.decodeUnknownOption(Detail)

const reasonOf = (status: string, detail: unknown): string =>
  Option.match(decodeDetail(detail), {
    onNone: () => (status === "DONE" ? "no image came with it" : ""),
    onSome: describe
  })

export const readStatus = (answer: Answer): Option.Option<GenerationStatus> =>
  Option.map(readStatusJson(answer), ({ status, response, detail }): GenerationStatus => {
    if (status === "IN_QUEUE") return { _tag: "Queued" }
    if (status === "IN_PROGRESS") return { _tag: "InProgress" }
    const pictures = status === "DONE" ? decodePictures(response) : Option.none()
    return Option.isSome(pictures)
      ? { _tag: "Done", images: Array.map(pictures.value, ({ url }, index) => ({ index, url })) }
      : { _tag: "Failed", status, detail: reasonOf(status, detail) }
  })
