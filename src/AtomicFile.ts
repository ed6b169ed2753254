/**
 * Files that are complete or absent: readers never see half of one, even if the writer is killed or the disk is full.
 *
 * @example
 * ```ts
 * import { AtomicFile } from "effect-arta"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const notes = yield* AtomicFile.readIfExists("notes.txt")
 *   yield* AtomicFile.write("notes.txt", `${notes ?? ""}one more line\n`)
 * })
 * ```
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { groupAccess } from "./internal/fileAccess.js"
import { isNotFound } from "./internal/platformError.js"

/**
 * Reads a text file. Succeeds with `undefined` if there is no such file.
 *
 * @since 0.1.0
 * @category reading
 */
export const readIfExists = (file: string): Effect.Effect<string | undefined, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(file)).pipe(
    Effect.catchIf(isNotFound, () => Effect.succeed(undefined))
  )

/**
 * Returns an unused path in a directory, for a file that you write in full and then rename or link. If that file still
 * exists when the scope closes, it is removed.
 *
 * @since 0.1.0
 * @category writing
 */
export const temporaryFile = (
  directory: string
): Effect.Effect<string, never, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const id = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
    return yield* Effect.acquireRelease(
      Effect.succeed(path.join(directory, `.effect-arta.${String(id)}.tmp`)),
      (file) => Effect.ignore(fs.remove(file, { force: true }))
    )
  })

const temporaryName = /^\.effect-arta\.\d+\.tmp$/

// A living writer touches its temporary file far more often than this.
const abandonedAfter = Duration.toMillis("10 minutes")

/** Removes the temporary files of writers that were killed. The file just written gives the file system's own time. */
const removeAbandoned = (written: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = path.dirname(written)
    const modifiedAt = (file: string) =>
      Effect.map(fs.stat(file), ({ mtime }) => Option.match(mtime, { onNone: () => 0, onSome: Number }))
    const now = yield* modifiedAt(written)
    const names = yield* fs.readDirectory(directory)
    yield* Effect.forEach(
      names.filter((name) => temporaryName.test(name)).map((name) => path.join(directory, name)),
      (file) => {
        const isAbandoned = Effect.map(modifiedAt(file), (then) => now - then > abandonedAfter)
        return Effect.ignore(Effect.whenEffect(fs.remove(file), isAbandoned))
      },
      { discard: true }
    )
  }).pipe(Effect.ignore)

/**
 * @since 0.1.0
 * @category options
 */
export interface WriteOptions {
  /** The permissions of the file. Default: `0o666`, less the process's umask. */
  readonly mode?: number | undefined
  /**
   * Whether to fail, and leave the old file as it was, if the new file cannot be given to the owner of the old one.
   * Default: false: the new file then belongs to this user.
   */
  readonly keepOwner?: boolean | undefined
}

/** Gives a new file the owner of the one that it replaces, and the group and its permissions if that was shared. */
const keepAccess = (fs: FileSystem.FileSystem, handle: FileSystem.File, replaced: FileSystem.File.Info) =>
  Effect.gen(function* () {
    // In a directory of another user, the name of the new file could be a link to any other file by now.
    const opened = `/dev/fd/${String(handle.fd)}`
    const { gid, mode, uid } = yield* handle.stat
    const shared = groupAccess(replaced)
    const isSame = Equal.equals(uid, replaced.uid) && (shared === 0 || Equal.equals(gid, replaced.gid))
    const owner = Option.all([replaced.uid, replaced.gid])
    if (!isSame && Option.isSome(owner)) yield* fs.chown(opened, ...owner.value)
    if ((mode & shared) !== shared) yield* fs.chmod(opened, (mode & 0o777) | shared)
  })

/**
 * Replaces a file, or creates it: writes a temporary file in the same directory, syncs it and renames it. On failure
 * the old file stays as it was. The new file keeps the owner of the old one if the system allows it. If only the owner
 * and a group had access to the old one, the group keeps its access. Also removes temporary files that killed writers
 * left in the directory over ten minutes ago.
 *
 * @since 0.1.0
 * @category writing
 */
export const write = (
  file: string,
  text: string,
  options: WriteOptions = {}
): Effect.Effect<void, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const temporary = yield* temporaryFile(path.dirname(file))
    const writeSynced = Effect.gen(function* () {
      const handle = yield* fs.open(temporary, { flag: "wx", mode: options.mode ?? 0o666 })
      yield* handle.writeAll(new TextEncoder().encode(text))
      const replaced = yield* Effect.option(fs.stat(file))
      if (Option.isSome(replaced)) {
        const kept = keepAccess(fs, handle, replaced.value)
        yield* options.keepOwner === true ? kept : Effect.ignore(kept)
      }
      yield* handle.sync
    })
    yield* Effect.scoped(writeSynced)
    yield* fs.rename(temporary, file)
    yield* removeAbandoned(file)
  }).pipe(Effect.scoped, Effect.uninterruptible)
