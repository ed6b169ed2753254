import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import { monotonicMillis } from "../clock.js"

const heartbeat = Duration.seconds(1)
const pauseBetweenTries = Effect.sleep("50 millis")
const staleAfter = 5_000
const longestWait = 60_000

const failedWith = (reason: "AlreadyExists" | "NotFound") => (error: PlatformError) =>
  error._tag === "SystemError" && error.reason === reason

/** A lock file as a waiter sees it: whose it is, when it was last touched, and since when that has not changed. */
interface Observation {
  readonly holder: string
  readonly touched: number
  readonly since: number
}

export interface FileLock {
  /** Runs an effect under the lock. Left: somebody else has held it for a minute, and is alive. */
  readonly hold: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<Either.Either<A, "held">, E, R>
}

/**
 * A lock between processes: a file that only one of them can create. Its holder touches it once a second. A waiter who
 * sees it untouched for five seconds takes the holder for dead and removes it. Where no such file can be created, say on
 * a disk that is full or read-only, effects run without the lock.
 */
export const makeFileLock = (fs: FileSystem.FileSystem, file: string): FileLock => {
  const takeoverLock = `${file}.takeover`

  const remove = (name: string) => Effect.ignore(fs.remove(name, { force: true }))

  // A full disk may have room for the file and none for what is in it: then no file is left.
  const create = (name: string, content: string) =>
    Effect.flatMap(fs.open(name, { flag: "wx", mode: 0o600 }), (handle) =>
      Effect.onError(handle.writeAll(new TextEncoder().encode(content)), () => remove(name))
    ).pipe(
      Effect.scoped,
      Effect.as(true),
      Effect.catchIf(failedWith("AlreadyExists"), () => Effect.succeed(false))
    )

  // No file system removes a file only if it still is the one that was read, and moving it away to look at it first would
  // let a third program in meanwhile. What is left is a holder that is silent for five seconds and wakes up in the
  // microseconds between these two steps.
  const removeIfHeldBy = (holder: string) =>
    Effect.ignore(Effect.flatMap(fs.readFileString(file), (found) => (found === holder ? remove(file) : Effect.void)))

  const look = (before: Observation | undefined, now: number) =>
    Effect.gen(function* () {
      const holder = yield* fs.readFileString(file)
      const { mtime } = yield* fs.stat(file)
      const touched = mtime._tag === "Some" ? mtime.value.getTime() : 0
      const isUnchanged = before?.holder === holder && before.touched === touched
      return { holder, touched, since: isUnchanged ? before.since : now }
    }).pipe(Effect.catchIf(failedWith("NotFound"), () => Effect.succeed(undefined)))

  // One waiter at a time removes a dead holder's lock, and only if it still is that holder's.
  const breakStaleLock = ({ holder, since }: Observation, now: number) =>
    Effect.gen(function* () {
      if (now - since > 2 * staleAfter) yield* remove(takeoverLock)
      if (yield* create(takeoverLock, "recovering"))
        yield* Effect.ensuring(removeIfHeldBy(holder), remove(takeoverLock))
    })

  const acquire = (
    holder: string,
    deadline: number,
    pause: Effect.Effect<void>,
    before?: Observation
  ): Effect.Effect<boolean, PlatformError> =>
    Effect.gen(function* () {
      if (yield* create(file, holder)) return true
      const now = yield* monotonicMillis
      if (now > deadline) return false
      const observation = yield* look(before, now)
      if (observation !== undefined && now - observation.since >= staleAfter) yield* breakStaleLock(observation, now)
      yield* pause
      return yield* acquire(holder, deadline, pause, observation)
    })

  const touch = Effect.flatMap(Clock.currentTimeMillis, (now) => fs.utimes(file, now / 1000, now / 1000)).pipe(
    Effect.ignore,
    Effect.repeat(Schedule.spaced(heartbeat))
  )

  const hold: FileLock["hold"] = (effect) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const holder = String(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER))
        const start = yield* monotonicMillis
        const acquired = yield* Effect.either(acquire(holder, start + longestWait, restore(pauseBetweenTries)))
        if (Either.isLeft(acquired)) return Either.right(yield* restore(effect))
        if (!acquired.right) return Either.left("held" as const)
        // The effect stays in this fiber: the lock is held until it has ended, also where it cannot be interrupted.
        const beating = yield* Effect.forkDaemon(Effect.interruptible(touch))
        return yield* restore(effect).pipe(
          Effect.map((value) => Either.right(value)),
          Effect.ensuring(Effect.zipRight(Fiber.interrupt(beating), removeIfHeldBy(holder)))
        )
      })
    )

  return { hold }
}
