import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import * as Path from "@effect/platform/Path"
import { parse as parseCsv } from "csv-parse/sync"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "effect-arta"
import { Arta } from "effect-arta"
import { createHash } from "node:crypto"
import type { Failure } from "../../../shared/errors.js"
import { explain, UsageError } from "../../../shared/errors.js"
import type { LimitOptions } from "../../../shared/options.js"
import { limitsOf } from "../../../shared/options.js"

/** One generation of a batch. */
export interface Row {
  /** The position in the file, from 1. */
  readonly number: number
  /** Identifies the request wherever it is in the file. Equal requests differ by a count. */
  readonly key: string
  readonly request: GenerateRequest.GenerateRequest
}

/** The cells of a row with the names of their columns. */
type Cells = ReadonlyArray<readonly [column: string, cell: unknown]>

const shortNames: Readonly<Record<string, string>> = {
  negative: "negativePrompt",
  aspect: "aspectRatio",
  steps: "numInferenceSteps",
  guidance: "guidanceScale"
}

const numeric = new Set(["n", "numInferenceSteps", "guidanceScale", "seed"])

// A CSV cell is always text. An empty one means the default.
const cellOf = (option: string, cell: unknown): unknown => {
  if (typeof cell !== "string") return cell ?? undefined
  if (cell.trim() === "") return undefined
  return numeric.has(option) ? Number(cell) : cell
}

const toOptions = (cells: Cells): Cells =>
  cells.flatMap(([column, cell]) => {
    const option = shortNames[column.trim()] ?? column.trim()
    const value = cellOf(option, cell)
    return value === undefined ? [] : [[option, value] as const]
  })

const prepareRow = (options: Cells, limits: LimitOptions): Effect.Effect<GenerateRequest.GenerateRequest, Failure> => {
  const names = options.map(([name]) => name)
  const duplicate = names.find((name, index) => names.indexOf(name) < index)
  return duplicate === undefined
    ? Arta.prepare(Object.fromEntries(options), limitsOf(limits))
    : new UsageError({ message: `${duplicate} appears twice.` })
}

const JsonLine = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
const Csv = Schema.Array(Schema.Array(Schema.String))

interface FileRow {
  readonly number: number
  readonly cells: Cells
}

const numberedLines = (text: string): ReadonlyArray<{ readonly number: number; readonly line: string }> =>
  text
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, line: line.trim() }))
    .filter(({ line }) => line !== "")

const fromJsonLines = (text: string) =>
  Effect.forEach(numberedLines(text), ({ line, number }) =>
    Effect.mapBoth(Schema.decode(JsonLine)(line), {
      onFailure: () => new UsageError({ message: `Line ${String(number)} is not a JSON object.` }),
      onSuccess: (cells): FileRow => ({ number, cells: Object.entries(cells) })
    })
  )

const fromCsv = (text: string) =>
  Effect.try({
    try: () => parseCsv(text, { skip_empty_lines: true, skip_records_with_empty_values: true, trim: true }),
    catch: (error) => new UsageError({ message: `This is not a CSV table with a header line: ${String(error)}` })
  }).pipe(
    Effect.flatMap(Schema.decodeUnknown(Csv)),
    Effect.mapError((error) => (error._tag === "UsageError" ? error : new UsageError({ message: error.message }))),
    Effect.map(([header = [], ...records]) =>
      records.map((record, index): FileRow => ({ number: index + 1, cells: Array.zip(header, record) }))
    )
  )

const fromText = (text: string) =>
  Effect.succeed(numberedLines(text).map(({ line, number }): FileRow => ({ number, cells: [["prompt", line]] })))

// In another encoding, the prompts would have wrong letters. The decoder drops a byte order mark.
const decodeUtf8 = (file: string, bytes: Uint8Array) =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new UsageError({ message: `${file} is not UTF-8 text. Save it as UTF-8.` })
  })

const readers: Readonly<Record<string, (text: string) => Effect.Effect<ReadonlyArray<FileRow>, UsageError>>> = {
  ".txt": fromText,
  ".jsonl": fromJsonLines,
  ".csv": fromCsv
}

const hashOf = (options: Cells): string => {
  const canonical = JSON.stringify(options.toSorted(([one], [other]) => (one < other ? -1 : 1)))
  return createHash("sha256").update(canonical).digest("hex").slice(0, 16)
}

const keysOf = (all: ReadonlyArray<Cells>): ReadonlyArray<string> => {
  const [, keys] = Array.mapAccum(all.map(hashOf), HashMap.empty<string, number>(), (counts, hash) => {
    const count = Option.getOrElse(HashMap.get(counts, hash), () => 0) + 1
    return [HashMap.set(counts, hash, count), `${hash}-${String(count)}`]
  })
  return keys
}

const maxErrors = 10

const joinErrors = (messages: ReadonlyArray<string>): string => {
  const rest = messages.length - maxErrors
  return [...messages.slice(0, maxErrors), ...(rest > 0 ? [`… and ${String(rest)} more.`] : [])].join("\n")
}

const readFileRows = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const reader = readers[path.extname(file).toLowerCase()]
    if (reader === undefined) {
      return yield* new UsageError({ message: `${file} must be a .txt, .jsonl or .csv file.` })
    }
    const text = yield* decodeUtf8(file, yield* fs.readFile(file))
    return yield* reader(text)
  })

/** Reads and checks all rows of a file. An invalid row is an error for the whole file, before anything is sent. */
export const readRequests = (
  file: string,
  limits: LimitOptions
): Effect.Effect<ReadonlyArray<Row>, UsageError | PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fileRows = yield* readFileRows(file)
    const options = fileRows.map(({ cells }) => toOptions(cells))
    const keyed = Array.zip(fileRows, Array.zip(options, keysOf(options)))
    const [errors, rows] = yield* Effect.partition(keyed, ([{ number }, [cells, key]]) =>
      Effect.mapBoth(prepareRow(cells, limits), {
        onFailure: (error) => `Row ${String(number)}: ${explain(error)}`,
        onSuccess: (request): Row => ({ number, key, request })
      })
    )
    if (errors.length > 0) return yield* new UsageError({ message: joinErrors(errors) })
    if (rows.length === 0) return yield* new UsageError({ message: `${file} contains no requests.` })
    return rows
  })
