import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { TokenStoreError } from "../../ArtaError.js"
import { makeFileLock } from "./fileLock.js"
import type { Slot } from "./backend.js"

const orNone = <A>(effect: Effect.Effect<A, PlatformError>): Effect.Effect<Option.Option<A>, PlatformError> =>
  effect.pipe(
    Effect.asSome,
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeedNone
    )
  )

// As many as Linux follows before it takes them for a circle.
const mostLinks = 40

/** A private file, replaced as a whole: a temporary file is written beside it and renamed. */
export const fileSlot = (fs: FileSystem.FileSystem, path: Path.Path, file: string): Slot => {
  const realFolder = (name: string) => Effect.orElseSucceed(fs.realPath(path.dirname(name)), () => path.dirname(name))

  const followLinks = (name: string, left = mostLinks): Effect.Effect<string> =>
    Effect.zipWith(fs.readLink(name), realFolder(name), (link, folder) => path.resolve(folder, link)).pipe(
      Effect.flatMap((next) => (left > 0 ? followLinks(next, left - 1) : Effect.succeed(name))),
      Effect.orElseSucceed(() => name)
    )

  // A symlink stays one, also while nothing is there that it, or one behind it, could point to.
  const destination = Effect.orElse(fs.realPath(file), () => followLinks(file))

  const makeFolder = (name: string) => fs.makeDirectory(path.dirname(name), { recursive: true, mode: 0o700 })

  const read = Effect.gen(function* () {
    const text = yield* fs.readFileString(file)
    const { mtime } = yield* fs.stat(file)
    const writtenAt = yield* Option.match(mtime, {
      onNone: () => Clock.currentTimeMillis,
      onSome: (date) => Effect.succeed(date.getTime())
    })
    return { text, writtenAt }
  })

  const writeSynced = (name: string, text: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        const handle = yield* fs.open(name, { flag: "wx", mode: 0o600 })
        yield* handle.writeAll(new TextEncoder().encode(text))
        yield* handle.sync
      })
    )

  // A writer that was killed left its temporary file behind. One that lives is done within a minute.
  const removeLeftovers = (target: string) =>
    Effect.gen(function* () {
      const folder = path.dirname(target)
      const prefix = `${path.basename(target)}.`
      const writtenAt = (name: string) =>
        Effect.map(fs.stat(name), ({ mtime }) => Option.match(mtime, { onNone: () => 0, onSome: Number }))
      const now = yield* writtenAt(target)
      const names = yield* fs.readDirectory(folder)
      const leftovers = names.filter((name) => name.startsWith(prefix) && /^\d+\.tmp$/.test(name.slice(prefix.length)))
      yield* Effect.forEach(leftovers, (name) => {
        const leftover = path.join(folder, name)
        const isOld = Effect.map(writtenAt(leftover), (then) => now - then > 60_000)
        return Effect.ignore(Effect.whenEffect(fs.remove(leftover), isOld))
      })
    }).pipe(Effect.ignore)

  const write = (text: string) =>
    Effect.gen(function* () {
      const target = yield* destination
      const temporary = `${target}.${String(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER))}.tmp`
      yield* makeFolder(target)
      yield* writeSynced(temporary, text).pipe(
        Effect.zipRight(fs.rename(temporary, target)),
        Effect.onError(() => Effect.ignore(fs.remove(temporary, { force: true })))
      )
      yield* removeLeftovers(target)
    }).pipe(Effect.uninterruptible)

  const setAside = () =>
    Effect.gen(function* () {
      const target = yield* destination
      const place = `${target}.unreadable-${String(yield* Clock.currentTimeMillis)}`
      yield* fs.rename(target, place)
      return place
    })

  const lock: Slot["lock"] = (effect) =>
    Effect.gen(function* () {
      const target = yield* destination
      // Where there can be no folder, there can be no lock either, and the effect runs without one.
      yield* Effect.ignore(makeFolder(target))
      const outcome = yield* makeFileLock(fs, `${target}.lock`).hold(effect)
      return yield* Either.isRight(outcome)
        ? Effect.succeed(outcome.right)
        : new TokenStoreError({
            operation: "lock",
            path: file,
            reason: "another program has held its lock for a minute"
          })
    })

  return {
    path: file,
    read: orNone(read),
    write,
    remove: Effect.flatMap(destination, (target) => fs.remove(target, { force: true })),
    setAside,
    lock
  }
}
