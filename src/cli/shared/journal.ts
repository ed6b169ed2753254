import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GenerateRequest, Generation, ImageFile } from "effect-arta"
import { exitCodes, SetupError } from "./errors.js"

const Request = GenerateRequest.GenerateRequest
type Request = GenerateRequest.GenerateRequest

/**
 * A line of the journal. `key` is what the generation was asked for by: a row of a batch, or one call of `generate`.
 * `Submitting` is written before the request leaves, so whatever happens then, nothing is sent twice.
 */
const Entry = Schema.Union(
  Schema.TaggedStruct("Submitting", { key: Schema.String, request: Request, name: Schema.String }),
  Schema.TaggedStruct("NotAccepted", { key: Schema.String }),
  Schema.TaggedStruct("Submitted", { key: Schema.String, recordId: Generation.RecordId }),
  Schema.TaggedStruct("Saved", { key: Schema.String, files: Schema.Array(Schema.String) }),
  Schema.TaggedStruct("Failed", {
    key: Schema.String,
    error: Schema.optionalWith(Schema.String, { default: () => "GenerationFailedError" }),
    message: Schema.String,
    exitCode: Schema.optionalWith(Schema.Int, { default: () => exitCodes.generationFailed })
  })
)

type Entry = typeof Entry.Type

/** How a generation stands, by the last of its entries. */
export interface JournalRecord {
  readonly key: string
  readonly request: Request
  /** What the names of its files start with. */
  readonly name: string
  readonly recordId?: Generation.RecordId
  readonly last: Entry
}

type JournalRecords = ReadonlyMap<string, JournalRecord>

const apply = (records: Map<string, JournalRecord>, entry: Entry): Map<string, JournalRecord> => {
  const { key } = entry
  if (entry._tag === "Submitting") {
    return records.set(key, { key, request: entry.request, name: entry.name, last: entry })
  }
  const before = records.get(key)
  if (before === undefined) return records
  return records.set(key, {
    ...before,
    ...(entry._tag === "Submitted" ? { recordId: entry.recordId } : {}),
    last: entry
  })
}

const Line = Schema.parseJson(Entry)
const encoder = new TextEncoder()
const decode = Schema.decodeOption(Line)
const encode = Schema.encodeSync(Line)

const fileName = "effect-arta.jsonl"

const readJournalText = (directory: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    return yield* Effect.catchIf(
      fs.readFileString(path.join(directory, fileName)),
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed("")
    )
  })

// A power failure may have cut off the last line. What it would have said is then as if it had not been.
const wholeLinesOf = (text: string): string => text.slice(0, text.lastIndexOf("\n") + 1)

const completeLines = (text: string): ReadonlyArray<string> => wholeLinesOf(text).split("\n").slice(0, -1)

const readLeniently = (text: string): ReadonlyArray<Entry> =>
  Array.filterMap(completeLines(text), (line) => decode(line))

/** The records in the journal of a directory, in the order of their first submission. */
export const read = (
  directory: string
): Effect.Effect<JournalRecords, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.map(readJournalText(directory), (text) =>
    Array.reduce(readLeniently(text), new Map<string, JournalRecord>(), apply)
  )

// Passed over, a damaged line could make a generation be submitted twice.
const readStrictly = (text: string) =>
  Effect.forEach(completeLines(text), (line, index) =>
    Effect.mapError(
      decode(line),
      () =>
        new SetupError({
          message: `Line ${String(index + 1)} of ${fileName} is damaged. Fix or remove the line, or choose another directory.`
        })
    )
  )

export interface Journal {
  readonly records: Effect.Effect<JournalRecords>
  /** Notes that a request is about to leave, and under which name its images will be. */
  readonly begin: (key: string, request: Request) => Effect.Effect<void, PlatformError>
  readonly note: (entry: Exclude<Entry, { readonly _tag: "Submitting" }>) => Effect.Effect<void, PlatformError>
}

/** Opens the journal of a directory for appending. Creates both if they are missing. */
export const open = (
  directory: string
): Effect.Effect<Journal, PlatformError | SetupError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(directory, { recursive: true })
    const location = path.join(directory, fileName)
    const text = yield* readJournalText(directory)
    const existing = yield* fs.readDirectory(directory)
    const file = yield* fs.open(location, { flag: "a" })
    const writeLock = yield* Effect.makeSemaphore(1)

    const records = new Map<string, JournalRecord>()
    // Of two that take a name in the same moment, the one that comes first in the file has it.
    const owners = new Map<string, string>()
    let size = 0
    const learn = (added: string, entries: ReadonlyArray<Entry>) => {
      size += encoder.encode(wholeLinesOf(added)).length
      for (const entry of entries) {
        apply(records, entry)
        if (entry._tag === "Submitting" && !owners.has(entry.name)) owners.set(entry.name, entry.key)
      }
    }
    learn(text, yield* readStrictly(text))
    if (wholeLinesOf(text) !== text) yield* file.truncate(FileSystem.Size(size))

    // Other commands write to the same journal, so what was written is read back with what they have written since.
    const append = (entry: Entry) =>
      Effect.gen(function* () {
        yield* file.writeAll(encoder.encode(`${encode(entry)}\n`))
        yield* file.sync
        const news = yield* fs.stream(location, { offset: size }).pipe(Stream.decodeText(), Stream.mkString)
        learn(news, readLeniently(news))
      })

    const isTaken = (name: string, key: string) =>
      owners.has(name) ? owners.get(name) !== key : existing.some((file) => file.startsWith(`${name}-`))

    const freeName = (key: string, request: Request) => {
      const name = ImageFile.nameOf(request)
      for (let number = 1; ; number += 1) {
        const candidate = number === 1 ? name : `${name}-${String(number)}`
        if (!isTaken(candidate, key)) return candidate
      }
    }

    const begin = (key: string, request: Request): Effect.Effect<void, PlatformError> =>
      Effect.suspend(() => {
        const name = freeName(key, request)
        const taken = append({ _tag: "Submitting", key, request, name })
        return Effect.flatMap(taken, () => (isTaken(name, key) ? begin(key, request) : Effect.void))
      })

    return {
      records: Effect.sync(() => new Map(records)),
      begin: (key, request) => Effect.uninterruptible(writeLock.withPermits(1)(begin(key, request))),
      note: (entry) => Effect.uninterruptible(writeLock.withPermits(1)(append(entry)))
    }
  })
