import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { stringify } from "./errorMessages.js"
import type { BufferedResponse } from "./http.js"
import { isRedirect, notFollowed, parseJson } from "./http.js"
import { presentable } from "./serviceText.js"

/** The JSON of a response, which may be anything and nest deeply. `undefined` if the response is no JSON. */
export const readJson = ({ text }: Pick<BufferedResponse, "text">): unknown => Option.getOrUndefined(parseJson(text))

const isLocation = Schema.is(Schema.NonEmptyArray(Schema.Union(Schema.String, Schema.Number)))

const fields = ["detail", "error", "message", "reason", "msg", "errors", "response"]

/** What a service says of a failure, by the names that services give it. Empty if it says nothing. */
export const explanation = (body: unknown, depth = 5): string => {
  if (Predicate.isString(body)) return body.trim()
  if (depth === 0) return ""
  const within = (values: ReadonlyArray<unknown>) =>
    values.map((value) => explanation(value, depth - 1)).filter((text) => text !== "")
  if (Array.isArray(body)) return within(body.slice(0, 20)).join("; ")
  if (!Predicate.isRecord(body)) return ""
  const [text = ""] = within(fields.map((field) => body[field]))
  // FastAPI names the field of each issue.
  return text !== "" && isLocation(body["loc"]) ? `${body["loc"].join(".")}: ${text}` : text
}

const isEmpty = (value: unknown): boolean =>
  Predicate.isNullable(value) || value === "" || (Predicate.isObject(value) && Object.keys(value).length === 0)

/** What else an unexplained body holds, beside fields that say nothing. */
export const remainder = (body: Readonly<Record<string, unknown>>): string => {
  const { detail } = body
  if (!isEmpty(detail)) return stringify(detail)
  const said = Object.entries(body).filter(
    ([field, value]) => field !== "status" && field !== "record_id" && !isEmpty(value)
  )
  return said.length === 0 ? "" : stringify(Object.fromEntries(said))
}

/** The explanation in a refusal, or the whole body if it has none. */
export const detail = (response: BufferedResponse): string => {
  if (isRedirect(response.status)) return notFollowed
  const body = readJson(response)
  const text = explanation(body) || (Predicate.isRecord(body) ? remainder(body) : response.text)
  return presentable(text, response.secrets) || "no reason given"
}

/** A problem with a response, and its explanation. The rest of its body may hold new secrets. */
export const withReason = (problem: string, response: BufferedResponse): string => {
  const { secrets, status } = response
  const said = isRedirect(status) ? notFollowed : presentable(explanation(readJson(response)), secrets)
  return problem + (said && `: ${said}`)
}

export const unreadable = (response: BufferedResponse): string => withReason("an unreadable response", response)
