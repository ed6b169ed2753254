import * as Array from "effect/Array"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as String from "effect/String"
import { stringify } from "./errorMessages.js"
import type { BufferedResponse } from "./http.js"

const parse = Schema.decodeUnknownOption(Schema.parseJson())

/** The JSON of a response, which may be anything and nest deeply. */
export const readJson = ({ text }: Pick<BufferedResponse, "text">): Option.Option<unknown> => parse(text)

const isLocation = Schema.is(Schema.NonEmptyArray(Schema.Union(Schema.String, Schema.Number)))

const fields = ["detail", "error", "message", "reason", "msg", "errors", "response"]

/** What a service says of a failure, by the names that services give it. Empty if it says nothing. */
export const explanation = (body: unknown, depth = 5): string => {
  if (Predicate.isString(body)) return body.trim()
  if (depth === 0) return ""
  const within = (value: unknown) => Option.liftPredicate(explanation(value, depth - 1), String.isNonEmpty)
  if (Array.isArray(body)) return Array.filterMap(body.slice(0, 20), within).join("; ")
  if (!Predicate.isRecord(body)) return ""
  const text = Option.getOrElse(
    Array.findFirst(fields, (field) => within(body[field])),
    () => ""
  )
  // FastAPI names the field of each issue.
  return text !== "" && isLocation(body["loc"]) ? `${body["loc"].join(".")}: ${text}` : text
}

/** What a response says of a failure. Empty if it says nothing, or is no JSON. */
export const said = (response: Pick<BufferedResponse, "text">): string =>
  Option.match(readJson(response), { onNone: () => "", onSome: (body) => explanation(body) })

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
