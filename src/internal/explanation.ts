import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { stringify } from "./errorMessages.js"
import { presentable } from "./serviceText.js"
import type { BufferedResponse } from "./transport.js"

/** Browsers report a redirect that they do not follow as a response with status 0 and no other detail. */
export const isRedirect = (status: number): boolean => status === 0 || (status >= 300 && status < 400)

export const notFollowed = "redirects are not followed"

const parse: (text: string) => Option.Option<unknown> = Option.liftThrowable(JSON.parse)

/** Reads JSON. Ignores text after an object, which some proxies append. */
export const parseJson = (text: string): Option.Option<unknown> =>
  Option.orElse(parse(text), () => parse(text.slice(0, text.lastIndexOf("}") + 1)))

/** The JSON of a response, which may be anything and nest deeply. `undefined` if the response is no JSON. */
export const readJson = ({ text }: Pick<BufferedResponse, "text">): unknown => Option.getOrUndefined(parseJson(text))

const isLocation = Schema.is(Schema.NonEmptyArray(Schema.Union(Schema.String, Schema.Number)))

const fields = ["title", "error", "detail", "message", "msg", "reason", "error_description"]

/** Joins texts, but leaves out those that the next or the previous ones repeat. */
const joinDistinct = (texts: ReadonlyArray<string>): string =>
  [...new Set(texts)].reduce((said, text) => {
    if (said.startsWith(text)) return said
    return text.startsWith(said) ? text : `${said}: ${text}`
  }, "")

/** What a service says of a failure, by the names that services give it. Empty if it says nothing. */
export const explanation = (body: unknown, depth = 5): string => {
  if (Predicate.isString(body)) return body.trim()
  if (depth === 0) return ""
  const within = (values: ReadonlyArray<unknown>) =>
    values.map((value) => explanation(value, depth - 1)).filter((text) => text !== "")
  if (Array.isArray(body)) return within(body.slice(0, 20)).join("; ")
  if (!Predicate.isRecord(body)) return ""
  const { errors, field, loc = [field], response } = body
  const issues = Predicate.isRecord(errors) ? Object.entries(errors).map(([field, msg]) => ({ field, msg })) : errors
  const text = joinDistinct(within([...fields.map((field) => body[field]), issues, response]))
  // FastAPI names the location of each issue, and other frameworks its field.
  return text !== "" && isLocation(loc) ? `${loc.join(".")}: ${text}` : text
}

const isEmpty = (value: unknown, depth = 5): boolean =>
  Predicate.isNullable(value) ||
  (Predicate.isString(value) && value.trim() === "") ||
  (depth > 0 && Predicate.isObject(value) && Object.values(value).every((inner) => isEmpty(inner, depth - 1)))

/** What an unexplained body holds, without the fields that say nothing. If only `detail` is left, its value. */
export const remainder = (body: unknown): string => {
  if (isEmpty(body)) return ""
  if (!Predicate.isRecord(body)) return stringify(body)
  const said = Object.entries(body).filter(([field, value]) => field !== "record_id" && !isEmpty(value))
  const [[field, value] = []] = said
  if (said.length > 1 || field !== "detail") return said.length === 0 ? "" : stringify(Object.fromEntries(said))
  return stringify(value)
}

const shown = (response: BufferedResponse, otherwise: (body: unknown) => string): string => {
  if (isRedirect(response.status)) return notFollowed
  const body = readJson(response)
  return presentable(explanation(body) || otherwise(body), response.secrets)
}

/** The explanation in a response, or its whole body if it has none. */
export const bodyReason = (response: BufferedResponse): string =>
  shown(response, (body) => (body === undefined ? response.text : remainder(body)))

/** Only the explanation in a response, for one whose body may hold new secrets. */
export const explained = (response: BufferedResponse): string => shown(response, () => "")

export const detail = (response: BufferedResponse): string => bodyReason(response) || "no reason given"

export const withReason = (problem: string, reason: string): string => problem + (reason && `: ${reason}`)

/** Shows the text of an unreadable response, but no JSON without an explanation: it may hold new secrets. */
export const unreadable = (response: BufferedResponse): string =>
  withReason(
    "an unreadable response",
    shown(response, () => (/^\s*[[{]/.test(response.text) ? "" : response.text))
  )
