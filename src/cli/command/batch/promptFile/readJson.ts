import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { isPrompt, unknownNames } from "./columns.js"
import type { Problem } from "./problems.js"
import { shown } from "./problems.js"
import type { Cell, ReadOptions, Source, SourceRow } from "./source.js"
import { noSource, numberedLines } from "./source.js"

// JSON.parse would expand or round such a number, so keep it as text.
const inexactNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?[eE][+-]?\d+|-?\d{16,}(?:\.\d+)?/gs

const parse = (text: string): Either.Either<unknown, unknown> =>
  Either.try({
    try: (): unknown =>
      JSON.parse(text.replace(inexactNumber, (token) => (token.startsWith('"') ? token : `"${token}"`))),
    catch: (error) => error
  })

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  Predicate.isRecord(value) && !Array.isArray(value)

const toCells = (object: Readonly<Record<string, unknown>>): ReadonlyArray<Cell> =>
  Object.entries(object).map(([name, value]) => ({ name, label: `key ${name}`, value }))

/** The keys of a row for OpenAI's Batch API. Its request is in `body`. */
const batchKeys = new Set(["custom_id", "method", "url", "body"])

const requestIn = (object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  isObject(object["body"]) && Object.keys(object).every((key) => batchKeys.has(key)) ? object["body"] : object

interface Item {
  readonly value: unknown
  readonly number: number
  readonly line: number
}

const toRow = ({ line, number, value }: Item): Either.Either<SourceRow, Problem> => {
  if (typeof value === "string") {
    return Either.right({ number, line, cells: [{ name: "prompt", label: "prompt", value }] })
  }
  return isObject(value)
    ? Either.right({ number, line, cells: toCells(requestIn(value)) })
    : Either.left({ place: { line, row: number }, message: `${shown(value)} is not a JSON object or a text.` })
}

const toSource = (items: ReadonlyArray<Item>): Source => {
  const [problems, rows] = Array.partitionMap(items, toRow)
  return { ...noSource, rows, problems }
}

const token = /"[^"\\]*(?:\\.[^"\\]*)*"|\r\n|[[\]{},\n\r]|[^\s"[\]{},]+/gs

/** The lines where the elements of the lists at a depth start. The text is valid JSON. */
function* elementLines(text: string, depth: number): Generator<number> {
  let line = 1
  let isNext = false
  const open: Array<string> = []
  for (const [part] of text.matchAll(token)) {
    if (/^[\r\n]/.test(part)) {
      line += 1
      continue
    }
    if (isNext && open.length === depth && part !== "]") yield line
    if (part === "[" || part === "{") open.push(part)
    if (part === "]" || part === "}") open.pop()
    isNext = part === "[" || (part === "," && open.at(-1) === "[")
  }
}

const fromList = (values: ReadonlyArray<unknown>, text: string, depth: number): Source => {
  const lines = [...elementLines(text, depth)]
  return toSource(values.map((value, index) => ({ value, number: index + 1, line: lines[index] ?? 1 })))
}

const isList = (value: unknown): value is ReadonlyArray<unknown> => Array.isArray(value)

/** An object is a row, unless its only list has the rows. */
const fromObject = (
  object: Readonly<Record<string, unknown>>,
  text: string,
  ignored: (name: string) => boolean
): Source => {
  const lists = Object.entries(object).flatMap(([key, value]) =>
    isList(value) && !ignored(key) ? [{ key, value }] : []
  )
  const [list] = lists
  const isRow = Object.keys(requestIn(object)).some(isPrompt)
  if (isRow || list === undefined || lists.length > 1) return toSource([{ value: object, number: 1, line: 1 }])
  const others = Object.keys(object).filter((key) => key !== list.key && !ignored(key))
  const source = fromList(list.value, text, 2)
  return others.length === 0 ? source : { ...source, problems: [unknownNames(others, "key"), ...source.problems] }
}

const fromValue = (value: unknown, text: string, ignored: (name: string) => boolean): Source => {
  if (isList(value)) return fromList(value, text, 1)
  return isObject(value) ? fromObject(value, text, ignored) : toSource([{ value, number: 1, line: 1 }])
}

const notJson = "This is not valid JSON."

const invalidJson = (error: unknown, text: string): Source => {
  const [, position = "0"] = /position (\d+)/.exec(String(error)) ?? []
  const line = text.slice(0, Number(position)).split(/\r\n|\n|\r/).length
  return { ...noSource, problems: [{ place: { line }, message: notJson }] }
}

const fromLines = (text: string, options: ReadOptions): Option.Option<Source> => {
  const lines = numberedLines(text, options).map(({ line, number }) => ({ line, number, parsed: parse(line) }))
  if (!lines.some(({ parsed }) => Either.isRight(parsed))) return Option.none()
  const [problems, items] = Array.partitionMap(lines, ({ line, number, parsed }) =>
    Either.mapBoth(parsed, {
      onLeft: (): Problem => ({ place: { line: number }, message: `${shown(line)} is not valid JSON.` }),
      onRight: (value): Item => ({ value, number, line: number })
    })
  )
  const source = toSource(items)
  return Option.some({ ...source, problems: [...problems, ...source.problems] })
}

/** Reads a JSON value, or one per line: objects and texts, in a list or not. */
export const readJson = (text: string, options: ReadOptions, ignored: (name: string) => boolean): Source =>
  Either.match(parse(text.trim() === "" ? "[]" : text), {
    onLeft: (error) => Option.getOrElse(fromLines(text, options), () => invalidJson(error, text)),
    onRight: (value) => fromValue(value, text, ignored)
  })

/** Whether a text starts like a list or an object. Prompts may start with a brace or a bracket too. */
export const looksLikeJson = (text: string): boolean => /^\s*(\{\s*"|\[\s*[{"])/.test(text)
