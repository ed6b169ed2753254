import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import type { ArtaError, GenerateRequest } from "effect-arta"
import { Arta } from "effect-arta"
import { buffer } from "node:stream/consumers"
import { allowedFor, explain, UsageError } from "../../../shared/errors.js"
import type { ImageOptions, LimitOptions } from "../../../shared/options.js"
import { limitsOf, toRequest } from "../../../shared/options.js"
import type { Format, PromptFileOptions } from "../../../shared/promptFileOptions.js"
import { duplicateNames, fieldOf, isIgnored, isNoHeader, isPrompt, unknownNames } from "./columns.js"
import { findControlCharacters, replaceControlCharacters } from "./controlCharacters.js"
import { decodeText } from "./decodeText.js"
import { formatOf, isReadByContent } from "./format.js"
import type { Problem } from "./problems.js"
import { shown, toUsageError } from "./problems.js"
import { readJson } from "./readJson.js"
import { readTable } from "./readTable.js"
import { readTextLines } from "./readTextLines.js"
import { keysOf } from "./rowKey.js"
import type { Source, SourceRow } from "./source.js"
import type { RowOptions } from "./toOptions.js"
import { labelIn, problemOf, toOptions } from "./toOptions.js"

/** One generation of a batch. */
export interface Row {
  /** The number of the line in a text, or of the record in a table or a list, from 1. */
  readonly number: number
  /** The line of the file where the row starts, from 1. */
  readonly line: number
  /** Identifies the request wherever it is in the file. Equal requests differ by a count. */
  readonly key: string
  readonly request: GenerateRequest.GenerateRequest
  /** What the row and the flags say. The request has a value for every option. */
  readonly options: Readonly<Record<string, unknown>>
}

export interface Input extends PromptFileOptions, ImageOptions, LimitOptions {
  readonly file: string
}

const readSource = (text: string, format: Format, input: Input): Source => {
  switch (format) {
    case "txt":
      return readTextLines(text, input)
    case "csv":
      return readTable(text, input)
    case "tsv":
      return readTable(text, input, "\t")
    case "json":
    case "jsonl":
      return readJson(text, input, isIgnored(input.ignoreColumns))
  }
}

const withoutIgnored = (source: Source, ignoreColumns: Option.Option<string>): Source => {
  const ignored = isIgnored(ignoreColumns)
  return {
    ...source,
    ...(source.header === undefined ? {} : { header: source.header.filter((name) => !ignored(name)) }),
    rows: source.rows.map((row) => ({ ...row, cells: row.cells.filter(({ name }) => !ignored(name)) }))
  }
}

const isUnknown = (name: string): boolean => Option.isNone(fieldOf(name))

/** What is wrong with the header of a table. */
const checkHeader = (header: ReadonlyArray<string>): ReadonlyArray<Problem> => {
  const unknown = header.filter(isUnknown)
  if (isNoHeader(header)) {
    return [
      {
        place: { line: 1 },
        message: `The first line, ${shown(header.join(", "))}, names no known column.`,
        advice:
          "Start a table with a header line, such as prompt,seed. For a text with a prompt per line, add --format txt."
      }
    ]
  }
  if (unknown.length > 0) return [unknownNames(unknown, "column"), ...duplicateNames(header)]
  return header.some(isPrompt)
    ? duplicateNames(header)
    : [{ message: `No column has the prompt, only ${header.map(shown).join(", ")}.`, advice: "Name a column prompt." }]
}

const checkNames = ({ header, rows }: Source): ReadonlyArray<Problem> => {
  if (header !== undefined) return checkHeader(header)
  const unknown = Array.dedupe(rows.flatMap(({ cells }) => cells.map(({ name }) => name).filter(isUnknown)))
  return unknown.length === 0 ? [] : [unknownNames(unknown, "key")]
}

const readRow = (row: SourceRow, { decimalComma, header }: Source) =>
  toOptions(row, {
    decimalComma,
    isTable: header !== undefined,
    needsPrompt: header === undefined ? row.cells.every(({ name }) => !isUnknown(name)) : header.some(isPrompt)
  })

/** What flags and row say together. A seed of -1 is random, whatever `--seed` is. */
const withDefaults = (options: RowOptions["options"], defaults: RowOptions["options"]): RowOptions["options"] =>
  Object.fromEntries(
    Object.entries({ ...defaults, ...options }).filter(([field, value]) => !(field === "seed" && value === "random"))
  )

type Invalid = ArtaError.InvalidRequestError | ArtaError.UnknownModelError

const fieldIn = (error: Invalid): string => (error._tag === "UnknownModelError" ? "model" : error.field)

const toProblem = ({ row }: RowOptions, error: Invalid, value: unknown): Problem => {
  const label = labelIn(row, fieldIn(error))
  const place = problemOf(row, { message: "", ...(label === undefined ? {} : { label }) })
  return error._tag === "UnknownModelError"
    ? { ...place, message: error.message, advice: "See all models: effect-arta models" }
    : { ...place, message: `${shown(value)} is not valid. It must be ${allowedFor(error)}.` }
}

/** Prepares the request of a row, or lists every option that the library does not accept. */
const prepareRow = (
  rowOptions: RowOptions,
  options: RowOptions["options"],
  limits: LimitOptions
): Effect.Effect<GenerateRequest.GenerateRequest, ReadonlyArray<Problem>> =>
  Effect.catchAll(Arta.prepare(options, limitsOf(limits)), (error) => {
    const field = fieldIn(error)
    const problem = toProblem(rowOptions, error, options[field])
    // Without a prompt, nothing else would be checked.
    return field in options && field !== "prompt" && field !== "messages"
      ? prepareRow(rowOptions, Record.remove(options, field), limits).pipe(
          Effect.mapError((others) => [problem, ...others]),
          Effect.zipRight(Effect.fail([problem]))
        )
      : Effect.fail([problem])
  })

/** The values of the flags, for the rows that do not say. */
const defaultsOf = (input: Input): Effect.Effect<RowOptions["options"], UsageError> => {
  const given = Object.entries(toRequest("", input)).filter(([name, value]) => name !== "prompt" && value !== undefined)
  const defaults: RowOptions["options"] = Object.fromEntries(given)
  return Effect.mapBoth(Arta.prepare({ ...defaults, prompt: "any" }, limitsOf(input)), {
    onFailure: (error) => new UsageError({ message: explain(error) }),
    onSuccess: () => defaults
  })
}

/** What messages call the file. */
export const nameOf = (file: string): string => (file === "-" ? "standard input" : file)

const readBytes = (file: string) =>
  file === "-"
    ? Effect.promise(() => buffer(process.stdin))
    : Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFile(file))

const readByContent =
  "The first line looks like a table or JSON, so the file was read as such. " +
  "To generate every line as written, add --literal."

const noFormat = (name: string): UsageError =>
  new UsageError({
    message:
      `Neither the name nor the content of ${name} tells its format. ` +
      "Add --format txt (a prompt per line), csv, tsv, json or jsonl."
  })

const readText = (text: string, name: string, input: Input) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const extension = path.extname(input.file).toLowerCase()
    const format = yield* Effect.mapError(formatOf(text, extension, input), () => noFormat(name))
    const source = withoutIgnored(readSource(text, format, input), input.ignoreColumns)
    return { source, hints: isReadByContent(format, extension, input) ? [readByContent] : [] }
  })

const hasPrompt = ({ options }: RowOptions): boolean => "prompt" in options || "messages" in options

const toRows = (source: Source, input: Input) =>
  Effect.gen(function* () {
    const defaults = yield* defaultsOf(input)
    const [invalid, valid] = Array.separate(source.rows.map((row) => readRow(row, source)))
    const merged = valid.map(({ options }) => withDefaults(options, defaults))
    const keyed = Array.zip(valid, Array.zip(merged, keysOf(merged)))
    const [failures, rows] = yield* Effect.partition(
      keyed.filter(([rowOptions]) => hasPrompt(rowOptions)),
      ([rowOptions, [options, key]]) =>
        Effect.map(prepareRow(rowOptions, options, input), (request): Row => {
          const { line, number } = rowOptions.row
          return { number, line, key, request, options }
        })
    )
    return { problems: [...source.problems, ...checkNames(source), ...invalid.flat(), ...failures.flat()], rows }
  })

/** Reads and checks all rows of a file. A problem anywhere is an error for the whole file, before anything is sent. */
export const readRequests = (
  input: Input
): Effect.Effect<ReadonlyArray<Row>, UsageError | PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const name = nameOf(input.file)
    const text = yield* decodeText(name, yield* readBytes(input.file), input.encoding)
    const { hints, source } = yield* readText(replaceControlCharacters(text), name, input)
    const { problems, rows } = yield* toRows(source, input)
    const all = [...findControlCharacters(text), ...problems]
    if (Array.isNonEmptyReadonlyArray(all)) return yield* toUsageError(name, all, hints)
    if (rows.length === 0) return yield* new UsageError({ message: `${name} contains no prompts.` })
    return rows
  })
