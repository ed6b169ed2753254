import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationStatus, Image } from "../../Generation.js"
import { RecordId } from "../../Generation.js"
import { stringify } from "../errorMessages.js"
import { explanation, parseJson, readJson, remainder, unreadable } from "../explanation.js"
import type { BufferedResponse } from "../transport.js"
import type { Secrets } from "../serviceText.js"
import { presentable, scrub } from "../serviceText.js"

export const form = (request: GenerateRequest): Record<string, string | number> => ({
  prompt: request.prompt,
  negative_prompt: request.negativePrompt,
  style: request.model,
  images_num: request.n,
  cfg_scale: request.guidanceScale,
  steps: request.numInferenceSteps,
  aspect_ratio: request.aspectRatio,
  seed: request.seed
})

const isRecordId = Schema.is(RecordId)

/** Reads a whole number as text: `JSON.parse` would round one above 2^53. */
const quoteRecordId = (text: string): string => text.replace(/("record_id"\s*:\s*)(-?\d+)(?=\s*[,}])/g, '$1"$2"')

/**
 * Reads the record id of a submission. `undefined` if there is none: the service refused the request. `Left` with the
 * reason if the service accepted it, but the id cannot be used or shown.
 */
export const readSubmitted = (response: BufferedResponse): Either.Either<RecordId | undefined, string> => {
  const { secrets, text } = response
  const body = readJson({ text: quoteRecordId(text) })
  if (!Predicate.isRecord(body)) return Either.left(unreadable(response))
  const { record_id: found } = body
  const id = Predicate.isString(found) ? found.trim() : (found ?? "")
  if (id === "") return Either.right(undefined)
  return isRecordId(id) && presentable(id, []) === scrub(id, secrets)
    ? Either.right(id)
    : Either.left(`an unusable record id: ${presentable(stringify(found), secrets, 200)}`)
}

const maxUrlLength = 16_384

const imageUrl = (entry: unknown, base: string, secrets: Secrets): string | undefined => {
  if (!Predicate.hasProperty(entry, "url") || !Predicate.isString(entry.url)) return undefined
  const isData = /^\s*data:/i.test(entry.url)
  // A `data:` URL may be wrapped. Only base64 has no spaces of its own.
  const space = /^[^,]*;\s*base64\s*,/i.test(entry.url) ? /\s+/g : /[\t\r\n]+/g
  const url = scrub(isData ? entry.url.trim().replace(space, "") : entry.url.trim(), secrets)
  if (/^data:[!-+\--~]*,[ -~]+$/i.test(url)) return url
  if (url === "" || (isData ? /[\0-\x1f]/.test(url) : url.length > maxUrlLength)) return undefined
  if (!URL.canParse(url, base)) return undefined
  // A signed URL must not change. `href` is absolute, and escapes what is not ASCII.
  const absolute = /^https?:\/\/[!-~]+$/i.test(url) ? url : new URL(url, base).href
  if (!/^(https?:|data:.*,.)/i.test(absolute)) return undefined
  // `href` has no line breaks, so it may contain a secret that was split by one.
  return scrub(base.startsWith("https:") ? absolute.replace(/^http:/i, "https:") : absolute, secrets)
}

/** Skips entries without a usable URL and keeps the others. */
const imagesIn = (entries: ReadonlyArray<unknown>, base: string, secrets: Secrets): ReadonlyArray<Image> =>
  entries.flatMap((entry, index) => {
    const url = imageUrl(entry, base, secrets)
    return url === undefined ? [] : [{ index, url }]
  })

const StatusBody = Schema.Struct(
  { status: Schema.compose(Schema.Trim, Schema.NonEmptyString) },
  Schema.Record({ key: Schema.String, value: Schema.Unknown })
)
const decodeStatusBody = Schema.decodeUnknownOption(StatusBody)

// Most responses have one of these, and the schema would take most of the time to read them.
const pendingStatus = ({ status }: Readonly<Record<string, unknown>>): GenerationStatus | undefined => {
  if (status === "IN_QUEUE") return { _tag: "Queued" }
  return status === "IN_PROGRESS" ? { _tag: "InProgress" } : undefined
}

/** Reads a status. Image URLs are relative to `base`, and use https if it does. */
export const readStatus = ({ secrets, text }: BufferedResponse, base: string): Option.Option<GenerationStatus> =>
  Option.flatMap(parseJson(text), (body) => {
    const pending = Predicate.isRecord(body) ? pendingStatus(body) : undefined
    return pending === undefined
      ? Option.map(decodeStatusBody(body), (body) => pendingStatus(body) ?? endStatus(body, base, secrets))
      : Option.some(pending)
  })

const endStatus = ({ status, ...body }: typeof StatusBody.Type, base: string, secrets: Secrets): GenerationStatus => {
  const { response } = body
  const entries: ReadonlyArray<unknown> = status === "DONE" && Array.isArray(response) ? response : []
  const images = imagesIn(entries, base, secrets)
  const missing = entries.length - images.length
  if (Array.isNonEmptyReadonlyArray(images)) return { _tag: "Done", images, ...(missing > 0 && { missing }) }
  const noReason = status === "DONE" ? "the response contains no image" : remainder(body)
  return {
    _tag: "Failed",
    status: presentable(status, secrets, 100),
    detail: presentable(explanation(body) || noReason, secrets)
  }
}
