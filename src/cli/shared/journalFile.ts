import type { PlatformError } from "@effect/platform/Error"
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { newline, space } from "./journalEntry.js"

/** A journal file that is open. Other commands may append to it, and other programs may replace it. */
export interface JournalFile {
  /** Appends bytes at `end`, the expected end of the file. If that fails, removes what was written of them. */
  readonly append: (bytes: Uint8Array, end: number) => Effect.Effect<void, PlatformError>
  /** The same, and flushes them to the disk. */
  readonly appendFlushed: (bytes: Uint8Array, end: number) => Effect.Effect<void, PlatformError>
  /**
   * Reads the bytes that follow `offset`, the end of a line, from the path of the file. None: the path leads to another
   * file, or no line ends there any more.
   */
  readonly readSince: (offset: number) => Effect.Effect<Option.Option<Uint8Array>, PlatformError>
  /** Replaces spaces by bytes and flushes them. False: the path leads to another file, or there are no such spaces. */
  readonly fill: (position: number, bytes: Uint8Array) => Effect.Effect<boolean, PlatformError>
  readonly truncate: (size: number) => Effect.Effect<void, PlatformError>
}

const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean =>
  Buffer.compare(bytes.subarray(0, start.length), start) === 0

const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === space)

/** An open file knows only the number of its descriptor. */
const named =
  (location: string) =>
  <A, R>(effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, PlatformError, R> =>
    Effect.mapError(effect, (error) =>
      error._tag === "SystemError"
        ? new SystemError({
            module: error.module,
            method: error.method,
            reason: error.reason,
            description: error.description,
            syscall: error.syscall,
            pathOrDescriptor: location
          })
        : error
    )

/** Opens a file, and creates it if it is missing. */
export const open = (
  location: string
): Effect.Effect<JournalFile, PlatformError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const appending = yield* fs.open(location, { flag: "a" })
    // A file that is open for appending cannot be written in its middle.
    const inPlace = yield* fs.open(location, { flag: "r+" })
    const { dev, ino } = yield* appending.stat

    const readAt = (position: number, length: number) =>
      inPlace
        .seek(position, "start")
        .pipe(Effect.zipRight(inPlace.readAlloc(length)), Effect.map(Option.getOrElse(() => new Uint8Array())))

    /** The size of the file, if its path still leads to it. */
    const size = fs.stat(location).pipe(
      Effect.map((found) =>
        found.dev === dev && Equal.equals(found.ino, ino) ? Option.some(Number(found.size)) : Option.none()
      ),
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "NotFound",
        () => Effect.succeedNone
      )
    )

    // On a full disk, the next line would continue the part of this one. Do not touch what others have appended.
    const removeFailed = (bytes: Uint8Array, end: number) =>
      Effect.flatMap(readAt(end, bytes.length + 1), (written) =>
        written.length > 0 && startsWith(bytes, written) ? appending.truncate(end) : Effect.void
      )

    const appendWith = (then: Effect.Effect<void, PlatformError>) => (bytes: Uint8Array, end: number) =>
      Effect.zipRight(appending.writeAll(bytes), then).pipe(
        Effect.tapError(() => Effect.ignore(removeFailed(bytes, end))),
        named(location)
      )

    return {
      append: appendWith(Effect.void),
      appendFlushed: appendWith(appending.sync),
      readSince: (offset) =>
        Effect.gen(function* () {
          const end = yield* size
          if (Option.isNone(end) || end.value < offset) return Option.none()
          const start = Math.max(0, offset - 1)
          const bytes = yield* readAt(start, end.value - start)
          if (offset === 0) return Option.some(bytes)
          return bytes[0] === newline ? Option.some(bytes.subarray(1)) : Option.none()
        }).pipe(named(location)),
      fill: (position, bytes) =>
        Effect.gen(function* () {
          const before = yield* readAt(position, bytes.length)
          if (Option.isNone(yield* size) || before.length < bytes.length || !isBlank(before)) return false
          yield* inPlace.seek(position, "start")
          yield* inPlace.writeAll(bytes)
          yield* inPlace.sync
          return true
        }).pipe(named(location)),
      truncate: (size) => named(location)(appending.truncate(FileSystem.Size(size)))
    }
  })
