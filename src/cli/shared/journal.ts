import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SynchronizedRef from "effect/SynchronizedRef"
import type { GenerateRequest, Generation } from "effect-arta"
import { AtomicFile, ImageFile } from "effect-arta"
import type { SetupError } from "./errors.js"
import type { Entry } from "./journalEntry.js"
import { completeSize, fileName, isCutOff, parseLeniently, parseStrictly, toBytes } from "./journalEntry.js"

type Request = GenerateRequest.GenerateRequest

/** The state of a generation after its last entry. */
export interface JournalRecord {
  readonly key: string
  /** The position among all records, by first submission. */
  readonly position: number
  readonly request: Request
  /** The prefix of its file names. */
  readonly name: string
  readonly recordId?: Generation.RecordId
  readonly last: Entry
}

export type JournalRecords = HashMap.HashMap<string, JournalRecord>

const addToRecords = (records: JournalRecords, entry: Entry): JournalRecords => {
  const { key } = entry
  const before = HashMap.get(records, key)
  if (entry._tag === "Submitting") {
    const position = Option.match(before, {
      onNone: () => HashMap.size(records),
      onSome: (record) => record.position
    })
    return HashMap.set(records, key, { key, position, request: entry.request, name: entry.name, last: entry })
  }
  return Option.match(before, {
    onNone: () => records,
    onSome: (record) =>
      HashMap.set(records, key, {
        ...record,
        ...(entry._tag === "Submitted" ? { recordId: entry.recordId } : {}),
        last: entry
      })
  })
}

const readText = (directory: string) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    return (yield* AtomicFile.readIfExists(path.join(directory, fileName))) ?? ""
  })

/** Reads the journal of a directory. Returns its records by first submission. */
export const read = (
  directory: string
): Effect.Effect<ReadonlyArray<JournalRecord>, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.map(readText(directory), (text) => {
    const records = Array.reduce(parseLeniently(text), HashMap.empty<string, JournalRecord>(), addToRecords)
    return Array.sortWith(HashMap.values(records), ({ position }) => position, Order.number)
  })

/** What is known of the journal file. */
interface State {
  readonly records: JournalRecords
  /** The key that owns each name. If two take a name at once, the first one in the file owns it. */
  readonly owners: HashMap.HashMap<string, string>
  /** The number of bytes read so far. */
  readonly offset: number
}

const empty: State = { records: HashMap.empty(), owners: HashMap.empty(), offset: 0 }

const addEntry = (state: State, entry: Entry): State => ({
  ...state,
  records: addToRecords(state.records, entry),
  owners:
    entry._tag === "Submitting" && !HashMap.has(state.owners, entry.name)
      ? HashMap.set(state.owners, entry.name, entry.key)
      : state.owners
})

const addText = (state: State, text: string, entries: ReadonlyArray<Entry>): State =>
  Array.reduce(entries, { ...state, offset: state.offset + completeSize(text) }, addEntry)

/** Whether a name belongs to another key, or to files that the journal does not know. */
const isTaken = ({ owners }: State, files: ReadonlyArray<string>, key: string, name: string): boolean =>
  Option.match(HashMap.get(owners, name), {
    onNone: () => files.some((file) => file.startsWith(`${name}-`)),
    onSome: (owner) => owner !== key
  })

const freeName = (state: State, files: ReadonlyArray<string>, key: string, request: Request): string => {
  const name = ImageFile.nameOf(request)
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${String(number)}`
    if (!isTaken(state, files, key, candidate)) return candidate
  }
}

/** Opens the file for appending, and removes an incomplete last line. */
const openFile = (location: string, text: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.open(location, { flag: "a" })
    if (isCutOff(text)) yield* file.truncate(FileSystem.Size(completeSize(text)))
    return file
  })

export interface Journal {
  readonly records: Effect.Effect<JournalRecords>
  /** Records that a request is about to be sent, and reserves the name of its images. */
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
    const text = yield* readText(directory)
    const files = yield* fs.readDirectory(directory)
    const state = yield* SynchronizedRef.make(addText(empty, text, yield* parseStrictly(text)))
    const file = yield* openFile(location, text)

    // Other commands append to the same journal: read back their entries together with this one.
    const append = (before: State, entry: Entry) =>
      Effect.gen(function* () {
        yield* file.writeAll(toBytes(entry))
        yield* file.sync
        const added = yield* fs.stream(location, { offset: before.offset }).pipe(Stream.decodeText(), Stream.mkString)
        return addText(before, added, parseLeniently(added))
      })

    // If another command took the name first, try the next one.
    const begin = (before: State, key: string, request: Request): Effect.Effect<State, PlatformError> => {
      const name = freeName(before, files, key, request)
      return Effect.flatMap(append(before, { _tag: "Submitting", key, request, name }), (after) =>
        isTaken(after, files, key, name) ? begin(after, key, request) : Effect.succeed(after)
      )
    }

    const update = (change: (before: State) => Effect.Effect<State, PlatformError>) =>
      Effect.uninterruptible(SynchronizedRef.updateEffect(state, change))

    return {
      records: Effect.map(state, ({ records }) => records),
      begin: (key, request) => update((before) => begin(before, key, request)),
      note: (entry) => update((before) => append(before, entry))
    }
  })
