import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Scope from "effect/Scope"
import * as SynchronizedRef from "effect/SynchronizedRef"
import type { GenerateRequest, Generation } from "effect-arta"
import { ImageFile } from "effect-arta"
import { SetupError } from "./errors.js"
import * as FileNames from "./fileNames.js"
import type { Entry, Line, Parsed } from "./journalEntry.js"
import { failIfDamaged, fileName, newline, parse, toBytes, toFilling } from "./journalEntry.js"
import * as JournalFile from "./journalFile.js"
import * as Names from "./journalNames.js"
import type { JournalRecord, JournalRecords } from "./journalRecords.js"
import * as Records from "./journalRecords.js"

export type { JournalRecord, JournalRecords }

type Request = GenerateRequest.GenerateRequest

/** Why an entry could not be recorded. */
export type JournalError = PlatformError | SetupError

const readBytes = (location: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFile(location)).pipe(
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed(new Uint8Array())
    )
  )

const readParsed = (location: string) =>
  Effect.map(readBytes(location), (bytes) => ({ length: bytes.length, parsed: parse(bytes) }))

/** Reads the journal of a directory. Returns its records by first submission. Ignores damaged lines. */
export const read = (
  directory: string
): Effect.Effect<ReadonlyArray<JournalRecord>, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const { parsed } = yield* readParsed(path.join(directory, fileName))
    return Array.sortWith(HashMap.values(Records.fromEntries(parsed.entries)), ({ position }) => position, Order.number)
  })

/** The spaces at the end of a line. */
interface Room {
  readonly position: number
  readonly size: number
}

/** What is known of the journal. */
interface State {
  readonly file: JournalFile.JournalFile
  readonly records: JournalRecords
  readonly names: Names.Names
  /** The end of the last line that was read, in bytes. */
  readonly offset: number
  /** The number of bytes that this command has appended since. */
  readonly unread: number
  /** Where the outcome of a submission goes, by key. */
  readonly rooms: HashMap.HashMap<string, Room>
  /** The keys of this command. */
  readonly own: HashSet.HashSet<string>
  /** Whether another program has replaced the file. */
  readonly isReplaced: boolean
}

const addEntries = (state: State, entries: ReadonlyArray<Entry>): State => ({
  ...state,
  records: Records.addEntries(state.records, entries),
  names: Names.addEntries(state.names, entries)
})

const addOwn = (state: State, entry: Entry): State => ({ ...state, own: HashSet.add(state.own, entry.key) })

/** The state after an own line, and after the lines that others have appended since. None: the line is not there. */
const addLines = (before: State, entry: Entry, { bytes, room }: Line, added: Uint8Array): Option.Option<State> => {
  const start = Buffer.from(added.buffer, added.byteOffset, added.byteLength).indexOf(bytes)
  if (start === -1 || (start > 0 && added[start - 1] !== newline)) return Option.none()
  const others = parse(added.subarray(start + bytes.length))
  const after = addEntries(before, [...parse(added.subarray(0, start)).entries, entry, ...others.entries])
  const end = before.offset + start + bytes.length
  return Option.some({
    ...addOwn(after, entry),
    offset: others.isOpen ? end : end + others.size,
    unread: 0,
    rooms: room === 0 ? after.rooms : HashMap.set(after.rooms, entry.key, { position: end - room - 1, size: room })
  })
}

/** Opens the file, removes a last line that was cut off, and ends one without a newline. */
const openFile = (location: string, { length, parsed }: { readonly length: number; readonly parsed: Parsed }) =>
  Effect.gen(function* () {
    const file = yield* JournalFile.open(location)
    if (parsed.size < length) yield* file.truncate(parsed.size)
    if (parsed.isOpen) yield* file.appendFlushed(Uint8Array.of(newline), parsed.size)
    const state: State = {
      file,
      records: Records.fromEntries(parsed.entries),
      names: Names.addEntries(Names.empty, parsed.entries),
      offset: parsed.size + (parsed.isOpen ? 1 : 0),
      unread: 0,
      rooms: HashMap.empty(),
      own: HashSet.empty(),
      isReplaced: false
    }
    return state
  })

export interface Journal {
  readonly records: Effect.Effect<JournalRecords>
  /** The files in the directory when the journal was opened. */
  readonly files: FileNames.FileNames
  /**
   * Records that a request is about to be sent, and reserves the name of its images, by default `nameOf` the request.
   * If it fails, the request must not be sent.
   */
  readonly begin: (key: string, request: Request, name?: string) => Effect.Effect<void, JournalError>
  readonly note: (entry: Exclude<Entry, { readonly _tag: "Submitting" }>) => Effect.Effect<void, PlatformError>
  /** Adds a generation that was submitted and saved without this journal. */
  readonly addSaved: (generation: SavedElsewhere) => Effect.Effect<void, PlatformError>
}

interface SavedElsewhere {
  readonly key: string
  readonly request: Request
  readonly name: string
  readonly recordId: Generation.RecordId
  readonly files: ReadonlyArray<string>
}

export interface Options {
  /** Runs after a request is recorded and before it is sent. */
  readonly beforeSend?: Effect.Effect<void, SetupError>
}

/** Opens the journal of a directory for appending. Creates both if they are missing. */
export const open = (
  directory: string,
  { beforeSend = Effect.void }: Options = {}
): Effect.Effect<Journal, JournalError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const scope = yield* Effect.scope
    yield* fs.makeDirectory(directory, { recursive: true })
    const location = path.join(directory, fileName)
    const found = yield* readParsed(location)
    yield* failIfDamaged(found.parsed, location)
    const files = FileNames.make(yield* fs.readDirectory(directory))
    const state = yield* SynchronizedRef.make(yield* openFile(location, found))

    const replaced = new SetupError({
      message:
        `Another program, such as an editor or a file sync, has replaced or changed ${location}. ` +
        "Nothing more is sent, so that no request is sent twice. The entries of this run are in the new file. " +
        "Close the other program, then run the same command again."
    })

    /** Appends what this command knows to the file that has taken the place of the journal. */
    const recoverIn = (before: State): Effect.Effect<State, PlatformError, Scope.Scope> =>
      Effect.gen(function* () {
        const state = yield* openFile(location, yield* readParsed(location))
        const entries = Array.filterMap(before.own, (key) => HashMap.get(before.records, key)).flatMap((record) =>
          Records.missingEntries(record, state.records)
        )
        const bytes = Buffer.concat(entries.map((entry) => toBytes(entry).bytes))
        yield* state.file.appendFlushed(bytes, state.offset)
        const after = addEntries(state, entries)
        return { ...after, offset: after.offset + bytes.length, own: before.own, isReplaced: true }
      }).pipe(Effect.provideService(FileSystem.FileSystem, fs))

    const recover = (before: State) => Scope.extend(recoverIn(before), scope)

    // Other commands append to the same journal: read back their entries together with this one.
    const append = (before: State, entry: Entry): Effect.Effect<Option.Option<State>, PlatformError> =>
      Effect.gen(function* () {
        const line = toBytes(entry)
        yield* before.file.appendFlushed(line.bytes, before.offset + before.unread)
        return Option.flatMap(yield* before.file.readSince(before.offset), (added) =>
          addLines(before, entry, line, added)
        )
      })

    // If another command took the name first, try the next one.
    const begin = (
      before: State,
      key: string,
      request: Request,
      base: string
    ): Effect.Effect<readonly [Either.Either<void, SetupError>, State], PlatformError> =>
      Effect.gen(function* () {
        if (before.isReplaced) return [Either.left(replaced), before]
        const [name, names] = Names.reserve(before.names, {
          key,
          base,
          earlier: Option.map(HashMap.get(before.records, key), ({ name }) => name),
          files
        })
        const after = yield* append({ ...before, names }, { _tag: "Submitting", key, request, name })
        if (Option.isNone(after)) return [Either.left(replaced), yield* recover(before)]
        return Names.isOwner(after.value.names, key, name)
          ? [Either.void, after.value]
          : yield* begin(after.value, key, request, base)
      })

    /** Writes the outcome of a submission into the room after it. */
    const fill = (before: State, entry: Entry): Effect.Effect<Option.Option<State>> =>
      Effect.gen(function* () {
        const room = yield* HashMap.get(before.rooms, entry.key)
        const bytes = yield* toFilling(entry, room.size)
        const isFilled = yield* before.file.fill(room.position, bytes)
        if (!isFilled) return yield* Option.none()
        return addOwn(addEntries(before, [entry]), entry)
      }).pipe(Effect.option)

    const recordOutcome = (before: State, entry: Entry): Effect.Effect<State, PlatformError> =>
      Effect.gen(function* () {
        const filled = yield* fill(before, entry)
        const after = Option.isSome(filled) ? filled : yield* append(before, entry)
        const noted = yield* Option.match(after, {
          onSome: Effect.succeed,
          onNone: () => recover(addOwn(addEntries(before, [entry]), entry))
        })
        return { ...noted, rooms: HashMap.remove(noted.rooms, entry.key) }
      })

    /** Records what another run would find out again: without a flush, and without a look at the file. */
    const recordUnflushed = (before: State, entries: Array.NonEmptyReadonlyArray<Entry>) => {
      const bytes = Buffer.concat(entries.map((entry) => toBytes(entry).bytes))
      return Effect.as(before.file.append(bytes, before.offset + before.unread), {
        ...addOwn(addEntries(before, entries), entries[0]),
        unread: before.unread + bytes.length
      })
    }

    const note = (before: State, entry: Entry): Effect.Effect<State, PlatformError> =>
      entry._tag === "Submitted" || entry._tag === "NotAccepted"
        ? recordOutcome(before, entry)
        : recordUnflushed(before, [entry])

    const addSaved = (before: State, { files, key, name, recordId, request }: SavedElsewhere) =>
      Option.exists(HashMap.get(before.records, key), ({ last }) => last._tag === "Saved")
        ? Effect.succeed(before)
        : recordUnflushed(before, [
            { _tag: "Submitting", key, request, name },
            { _tag: "Submitted", key, recordId },
            { _tag: "Saved", key, files }
          ])

    const check = (before: State): Effect.Effect<State, PlatformError> =>
      Effect.gen(function* () {
        if (HashSet.size(before.own) === 0) return before
        const added = yield* before.file.readSince(before.offset)
        if (Option.exists(added, ({ length }) => length >= before.unread)) return before
        yield* Console.error(replaced.message)
        return yield* Effect.scoped(recoverIn(before))
      })

    const noteEntry: Journal["note"] = (entry) =>
      Effect.uninterruptible(SynchronizedRef.updateEffect(state, (before) => note(before, entry)))

    // Something may have replaced the file after the last entry.
    yield* Effect.addFinalizer(() => Effect.ignore(SynchronizedRef.updateEffect(state, check)))

    return {
      records: Effect.map(state, ({ records }) => records),
      files,
      begin: (key, request, name = ImageFile.nameOf(request)) =>
        SynchronizedRef.modifyEffect(state, (before) => begin(before, key, request, name)).pipe(
          Effect.flatten,
          Effect.uninterruptible,
          Effect.zipRight(Effect.tapError(beforeSend, () => noteEntry({ _tag: "NotAccepted", key })))
        ),
      note: noteEntry,
      addSaved: (generation) =>
        Effect.uninterruptible(SynchronizedRef.updateEffect(state, (before) => addSaved(before, generation)))
    }
  })
