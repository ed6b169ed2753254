import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationStatus, Image } from "../../Generation.js"
import { RecordId } from "../../Generation.js"
import { stringify } from "../errorMessages.js"
import { explanation, readJson, remainder, said } from "../explanation.js"
import type { BufferedResponse } from "../http.js"
import { decodeJson, isRedirect, notFollowed } from "../http.js"
import type { Secrets } from "../serviceText.js"
import { presentable, scrub } from "../serviceText.js"

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

const isRecordId = Schema.is(RecordId)

/** Reads a whole number as text: `JSON.parse` would round one above 2^53. */
const quoteRecordId = (text: string): string => text.replace(/("record_id"\s*:\s*)(-?\d+)(?=\s*[,}])/g, '$1"$2"')

/**
 * Reads the record id of a submission. `undefined` if there is none: the service refused the request. `Left` with the
 * reason if the service accepted it, but the id cannot be used or shown.
 */
export const readSubmitted = (
  response: BufferedResponse,
  secrets: Secrets
): Either.Either<RecordId | undefined, string> => {
  const body = readJson({ text: quoteRecordId(response.text) })
  if (!Predicate.isRecord(body)) {
    const text = said(response, secrets)
    return Either.left(`an unreadable response${text && `: ${text}`}`)
  }
  const { record_id: found } = body
  const id = Predicate.isString(found) ? found.trim() : (found ?? "")
  if (id === "") return Either.right(undefined)
  return isRecordId(id) && presentable(id, secrets) === id
    ? Either.right(id)
    : Either.left(`an unusable record id: ${presentable(stringify(found), secrets, 200)}`)
}

/** The explanation in a refusal, or the whole body if it has none. */
export const detail = (response: BufferedResponse, secrets: Secrets): string => {
  if (isRedirect(response.status)) return notFollowed
  const body = readJson(response)
  const text = explanation(body) || (Predicate.isRecord(body) ? remainder(body) : response.text)
  return presentable(text, secrets) || "no reason given"
}

const maxUrlLength = 16_384

export interface StatusOptions {
  /** The URL that image URLs are relative to. If it uses https, so do they. */
  readonly base: string
  readonly secrets: Secrets
}

const imageUrl = (entry: unknown, { base, secrets }: StatusOptions): string | undefined => {
  if (!Predicate.hasProperty(entry, "url") || !Predicate.isString(entry.url)) return undefined
  const url = scrub(entry.url.trim(), secrets)
  if (/^data:/i.test(url)) return /^[!-~]+$/.test(url) ? url : undefined
  if (url === "" || url.length > maxUrlLength || !URL.canParse(url, base)) return undefined
  // A signed URL must not change. `href` is absolute, and escapes what is not ASCII.
  const absolute = /^https?:\/\/[!-~]+$/i.test(url) ? url : new URL(url, base).href
  if (!/^http/i.test(absolute)) return undefined
  return base.startsWith("https:") ? absolute.replace(/^http:/i, "https:") : absolute
}

/** Skips entries without a usable URL and keeps the others. */
const imagesIn = (entries: ReadonlyArray<unknown>, options: StatusOptions): ReadonlyArray<Image> =>
  entries.flatMap((entry, index) => {
    const url = imageUrl(entry, options)
    return url === undefined ? [] : [{ index, url }]
  })

const readStatusBody = decodeJson(
  Schema.Struct(
    { status: Schema.compose(Schema.Trim, Schema.NonEmptyString) },
    Schema.Record({ key: Schema.String, value: Schema.Unknown })
  )
)

export const readStatus = (response: BufferedResponse, options: StatusOptions): Option.Option<GenerationStatus> =>
  Option.map(readStatusBody(response), ({ status, ...body }) => toStatus(status, body, options))

const toStatus = (
  status: string,
  body: Readonly<Record<string, unknown>>,
  options: StatusOptions
): GenerationStatus => {
  if (status === "IN_QUEUE") return { _tag: "Queued" }
  if (status === "IN_PROGRESS") return { _tag: "InProgress" }
  const { response } = body
  const entries: ReadonlyArray<unknown> = status === "DONE" && Array.isArray(response) ? response : []
  const images = imagesIn(entries, options)
  const missing = entries.length - images.length
  if (Array.isNonEmptyReadonlyArray(images)) return { _tag: "Done", images, ...(missing > 0 && { missing }) }
  const noReason = status === "DONE" ? "no image" : remainder(body)
  return {
    _tag: "Failed",
    status: presentable(status, options.secrets, 100),
    detail: presentable(explanation(body) || noReason, options.secrets)
  }
}
