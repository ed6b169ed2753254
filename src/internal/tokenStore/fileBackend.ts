import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { TokenStoreError } from "../../ArtaError.js"
import * as AtomicFile from "../../AtomicFile.js"
import * as FileLock from "../../FileLock.js"
import { isSpecialFile } from "../fileAccess.js"
import { isDiskFull, isMountPoint, isNotFound, isNotPermitted, isUnwritable } from "../platformError.js"
import type { Backend, Written } from "./backend.js"
import { isOwnerRefused, orOverwrite } from "./overwrite.js"

const alwaysHeld: FileLock.Lock = { isHeld: Effect.succeed(true) }

// Linux follows as many before it reports a loop.
const maxLinks = 40

/** A file that only its owner can read, replaced atomically where its directory allows it. */
export const fileBackend = (file: string): Effect.Effect<Backend, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()

    const realDirectory = (name: string) =>
      Effect.orElseSucceed(fs.realPath(path.dirname(name)), () => path.dirname(name))

    const followLinks = (name: string, loop: PlatformError, left = maxLinks): Effect.Effect<string, PlatformError> =>
      Effect.zipWith(fs.readLink(name), realDirectory(name), (link, directory) => path.resolve(directory, link)).pipe(
        Effect.option,
        Effect.flatMap(
          Option.match({
            onNone: () => Effect.succeed(name),
            onSome: (next) => (left > 0 ? followLinks(next, loop, left - 1) : Effect.fail(loop))
          })
        )
      )

    // A symlink stays a symlink, even if its target does not exist yet.
    const destination = Effect.catchAll(fs.realPath(file), (error) => followLinks(file, error))

    const isSpecial = isSpecialFile(fs, file)

    const makeParent = (name: string) => fs.makeDirectory(path.dirname(name), { recursive: true, mode: 0o700 })

    const read = Effect.gen(function* () {
      // Reading a pipe would wait for its writer.
      if (yield* isSpecial) return Option.none()
      const text = yield* fs.readFileString(file)
      const { mtime } = yield* fs.stat(file)
      const writtenAt = yield* Option.match(mtime, {
        onNone: () => Clock.currentTimeMillis,
        onSome: (date) => Effect.succeed(date.getTime())
      })
      return Option.some({ text, writtenAt })
    })

    const warnOnce = yield* Effect.once(
      Effect.logWarning(
        `The session at ${file} is overwritten in place, because its directory is read-only, or the file is mounted ` +
          "by itself or belongs to another user. If the program is killed at that moment, the session may be damaged."
      )
    )

    const write = (text: string) =>
      Effect.gen(function* () {
        if (yield* isSpecial) {
          return yield* new TokenStoreError({ operation: "save", path: file, reason: "it is not a regular file" })
        }
        const target = yield* destination
        yield* makeParent(target)
        const replace = (keepOwner: boolean) => AtomicFile.write(target, text, { mode: 0o600, keepOwner })
        yield* replace(true).pipe(
          orOverwrite(fs, target, text, warnOnce),
          Effect.catchIf(
            (error) => isOwnerRefused(error),
            () => replace(false)
          )
        )
      }).pipe(Effect.provide(context), Effect.uninterruptible)

    const remove = Effect.flatMap(destination, (target) =>
      fs.remove(target, { force: true }).pipe(orOverwrite(fs, target, "", Effect.void))
    ).pipe(
      Effect.catchIf(isNotFound, () => Effect.void),
      Effect.unlessEffect(isSpecial)
    )

    // A file that is mounted by itself, or in a sticky directory, may not be renamed. The copy has its date, so that one
    // damage makes one copy.
    const setAside = ({ text, writtenAt }: Written) =>
      Effect.gen(function* () {
        const target = yield* destination
        const place = (date: number) => `${target}.unreadable-${String(date)}`
        const renamed = place(yield* Clock.currentTimeMillis)
        const copied = place(writtenAt)
        return yield* Effect.as(fs.rename(target, renamed), renamed).pipe(
          Effect.catchIf(
            (error) => isMountPoint(error) || isNotPermitted(error),
            () => Effect.as(fs.writeFileString(copied, text, { mode: 0o600 }), copied)
          )
        )
      })

    const acquireLock = Effect.gen(function* () {
      // Each process keeps its session in memory.
      if (yield* isSpecial) return alwaysHeld
      const target = yield* destination
      yield* Effect.ignore(makeParent(target))
      return yield* FileLock.acquire(`${target}.lock`, { timeout: "1 minute" })
    }).pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      // No process can create a lock file here, so there is none to wait for. `save` still checks what it replaces.
      Effect.catchIf(
        (error) => error._tag !== "FileLockHeldError" && (isUnwritable(error) || isDiskFull(error)),
        () => Effect.succeed(alwaysHeld)
      ),
      Effect.mapError(
        (error) =>
          new TokenStoreError({
            operation: "lock",
            path: file,
            reason:
              error._tag === "FileLockHeldError"
                ? `another process has held its lock for a minute. If no such process runs, remove ${error.file}`
                : error.message
          })
      )
    )

    const lock: Backend["lock"] = (use) =>
      Effect.acquireUseRelease(
        Scope.make(),
        (scope) => Effect.flatMap(Scope.extend(acquireLock, scope), ({ isHeld }) => use(isHeld)),
        (scope, exit) => Scope.close(scope, exit)
      )

    return {
      path: file,
      read: Effect.catchIf(read, isNotFound, () => Effect.succeedNone),
      write,
      remove,
      setAside,
      lock
    }
  })
