import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { TokenStoreError } from "../../ArtaError.js"
import * as AtomicFile from "../../AtomicFile.js"
import * as FileLock from "../../FileLock.js"
import { isNotFound } from "../platformError.js"
import type { Backend } from "./backend.js"

// Linux follows as many before it reports a loop.
const maxLinks = 40

/** A file that only its owner can read, replaced atomically. */
export const fileBackend = (file: string): Effect.Effect<Backend, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()

    const realDirectory = (name: string) =>
      Effect.orElseSucceed(fs.realPath(path.dirname(name)), () => path.dirname(name))

    const followLinks = (name: string, left = maxLinks): Effect.Effect<string> =>
      Effect.zipWith(fs.readLink(name), realDirectory(name), (link, directory) => path.resolve(directory, link)).pipe(
        Effect.flatMap((next) => (left > 0 ? followLinks(next, left - 1) : Effect.succeed(name))),
        Effect.orElseSucceed(() => name)
      )

    // A symlink stays a symlink, even if its target does not exist yet.
    const destination = Effect.orElse(fs.realPath(file), () => followLinks(file))

    const makeParent = (name: string) => fs.makeDirectory(path.dirname(name), { recursive: true, mode: 0o700 })

    const read = Effect.gen(function* () {
      const text = yield* fs.readFileString(file)
      const { mtime } = yield* fs.stat(file)
      const writtenAt = yield* Option.match(mtime, {
        onNone: () => Clock.currentTimeMillis,
        onSome: (date) => Effect.succeed(date.getTime())
      })
      return Option.some({ text, writtenAt })
    })

    const write = (text: string) =>
      Effect.gen(function* () {
        const target = yield* destination
        yield* makeParent(target)
        yield* AtomicFile.write(target, text, { mode: 0o600 })
      }).pipe(Effect.provide(context), Effect.uninterruptible)

    const setAside = () =>
      Effect.gen(function* () {
        const target = yield* destination
        const place = `${target}.unreadable-${String(yield* Clock.currentTimeMillis)}`
        yield* fs.rename(target, place)
        return place
      })

    const acquireLock = Effect.gen(function* () {
      const target = yield* destination
      yield* Effect.ignore(makeParent(target))
      yield* FileLock.acquire(`${target}.lock`, { timeout: "1 minute" })
    }).pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.catchTags({
        FileLockHeldError: () =>
          new TokenStoreError({
            operation: "lock",
            path: file,
            reason: "another process has held its lock for a minute"
          }),
        // A disk that is full or read-only takes no lock file: go on without one.
        BadArgument: () => Effect.void,
        SystemError: () => Effect.void
      })
    )

    const lock: Backend["lock"] = (effect) =>
      Effect.acquireUseRelease(
        Scope.make(),
        (scope) => Effect.zipRight(Scope.extend(acquireLock, scope), effect),
        (scope, exit) => Scope.close(scope, exit)
      )

    return {
      path: file,
      read: Effect.catchIf(read, isNotFound, () => Effect.succeedNone),
      write,
      remove: Effect.flatMap(destination, (target) => fs.remove(target, { force: true })),
      setAside,
      lock
    }
  })
