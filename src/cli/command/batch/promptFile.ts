import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import * as Path from "@effect/platform/Path"
import { parse as parseCsv } from "csv-parse/sync"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { GenerateRequest } from "effect-arta"
import { Arta } from "effect-arta"
import { createHash } from "node:crypto"
import type { Failure } from "../../shared/errors.js"
import { explain, UsageError } from "../../shared/errors.js"

/** One generation of a batch. */
export interface Row {
  /** Its place in the file, from 1. */
  readonly number: number
  /** The same for the same request, wherever it stands in the file. Equal requests are told apart by a count. */
  readonly key: string
  readonly request: GenerateRequest.GenerateRequest
}

/** What a row says, each with the name of its column. */
type Cells = ReadonlyArray<readonly [column: string, cell: unknown]>

const shortNames: Readonly<Record<string, string>> = {
  negative: "negativePrompt",
  aspect: "aspectRatio",
  steps: "numInferenceSteps",
  guidance: "guidanceScale"
}

const numeric = new Set(["n", "numInferenceSteps", "guidanceScale", "seed"])

// A cell of a CSV file is always a text, and an empty one says nothing.
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

const prepareRow = (options: Cells): Effect.Effect<GenerateRequest.GenerateRequest, Failure> => {
  const names = options.map(([name]) => name)
  const duplicate = names.find((name, index) => names.indexOf(name) < index)
  return duplicate === undefined
    ? Arta.prepare(Object.fromEntries(options))
    : new UsageError({ message: `${duplicate} appears twice.` })
}

const JsonLine = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
const Csv = Schema.Array(Schema.Array(Schema.String))

interface RawRow {
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
      onSuccess: (cells): RawRow => ({ number, cells: Object.entries(cells) })
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
      records.map((record, index): RawRow => ({ number: index + 1, cells: Array.zip(header, record) }))
    )
  )

const fromText = (text: string) =>
  Effect.succeed(numberedLines(text).map(({ line, number }): RawRow => ({ number, cells: [["prompt", line]] })))

// In another encoding, the prompts would have wrong letters. The decoder drops a byte order mark.
const decodeUtf8 = (file: string, bytes: Uint8Array) =>
  Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => new UsageError({ message: `${file} is not UTF-8 text. Save it as UTF-8.` })
  })

const readers: Readonly<Record<string, (text: string) => Effect.Effect<ReadonlyArray<RawRow>, UsageError>>> = {
  ".txt": fromText,
  ".jsonl": fromJsonLines,
  ".csv": fromCsv
}

const keysOf = (all: ReadonlyArray<Cells>): ReadonlyArray<string> => {
  const seen = new Map<string, number>()
  return all.map((options) => {
    const canonical = JSON.stringify(options.toSorted(([one], [other]) => (one < other ? -1 : 1)))
    const hash = createHash("sha256").update(canonical).digest("hex").slice(0, 16)
    const count = (seen.get(hash) ?? 0) + 1
    seen.set(hash, count)
    return `${hash}-${String(count)}`
  })
}

const maxErrors = 10

const joinErrors = (messages: ReadonlyArray<string>): string => {
  const rest = messages.length - maxErrors
  return [...messages.slice(0, maxErrors), ...(rest > 0 ? [`… and ${String(rest)} more.`] : [])].join("\n")
}

/** Reads and checks all rows of a file. One that is not usable fails them all, before anything is sent. */
export const readRequests = (
  file: string
): Effect.Effect<ReadonlyArray<Row>, UsageError | PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const reader = readers[path.extname(file).toLowerCase()]
    if (reader === undefined) {
      return yield* new UsageError({ message: `${file} must be a .txt, .jsonl or .csv file.` })
    }
    const rawRows = yield* fs.readFile(file).pipe(
      Effect.flatMap((bytes) => decodeUtf8(file, bytes)),
      Effect.flatMap(reader)
    )
    const options = rawRows.map(({ cells }) => toOptions(cells))
    const keys = keysOf(options)
    const [errors, rows] = yield* Effect.partition(rawRows, ({ number }, index) =>
      Effect.mapBoth(prepareRow(options[index] ?? []), {
        onFailure: (error) => `Row ${String(number)}: ${explain(error)}`,
        onSuccess: (request): Row => ({ number, key: keys[index] ?? "", request })
      })
    )
    if (errors.length > 0) return yield* new UsageError({ message: joinErrors(errors) })
    if (rows.length === 0) return yield* new UsageError({ message: `${file} contains no requests.` })
    return rows
  })
