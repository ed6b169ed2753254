/**
 * A lock between processes: a file that only one of them can create.
 *
 * The holder touches the file once a second. By default, a waiter that sees it untouched for five seconds considers the
 * holder dead and takes the lock over.
 *
 * @example
 * ```ts
 * import { FileLock } from "effect-arta"
 * import { Console, Effect } from "effect"
 *
 * export const program = FileLock.acquire("images/.lock", { timeout: "1 minute" }).pipe(
 *   Effect.zipRight(Console.log("nobody else is here")),
 *   Effect.scoped
 * )
 * ```
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "./internal/clock.js"
import { isAlreadyExists, isDiskFull, isNotFound, isUnwritable } from "./internal/platformError.js"

/**
 * Another process held the lock until the timeout. `owner` is what that process wrote into the lock file.
 *
 * @since 0.1.0
 * @category errors
 */
export class FileLockHeldError extends Schema.TaggedError<FileLockHeldError>()("FileLockHeldError", {
  file: Schema.String,
  owner: Schema.String
}) {
  override get message(): string {
    return `Another process holds the lock ${this.file}. Wait for that process, or stop it.`
  }
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** How long to wait while another process holds the lock. */
  readonly timeout: Duration.DurationInput
  /** What to write into the lock file, for others to read. Default: a random number. */
  readonly owner?: string | undefined
  /**
   * Decides from the owner in the lock file whether its holder has ended. Only such a lock is taken over. Default: the
   * holder has ended if it has not touched the file for five seconds.
   */
  readonly hasEnded?: ((owner: string) => Effect.Effect<boolean>) | undefined
}

// Written here because `proper-lockfile` 4.1.2 let two processes hold one lock in 5 of 60 stale-lock rounds.
const heartbeat = Duration.seconds(1)
const retryInterval = Duration.millis(50)
const staleAfter = 5_000

/** A lock file as a waiter sees it: its content, a state that each touch changes, and since when it has that state. */
interface Observation {
  readonly content: string
  readonly state: string
  readonly since: number
}

const ownerIn = (content: string): string => content.split("\n", 1)[0] ?? ""

const remove = (fs: FileSystem.FileSystem, file: string) => Effect.ignore(fs.remove(file, { force: true }))

/** Creates a file unless it exists. If the disk has room for the file but not for its content, no file is left. */
const create = (fs: FileSystem.FileSystem, file: string, content: string) =>
  Effect.flatMap(fs.open(file, { flag: "wx", mode: 0o600 }), (handle) =>
    Effect.onError(handle.writeAll(new TextEncoder().encode(content)), () => remove(fs, file))
  ).pipe(
    Effect.scoped,
    Effect.as(true),
    Effect.catchIf(isAlreadyExists, () => Effect.succeed(false))
  )

const contains = (fs: FileSystem.FileSystem, file: string, content: string) =>
  fs.readFileString(file).pipe(
    Effect.map((found) => found === content),
    Effect.orElseSucceed(() => false)
  )

// A lock file that cannot be read, for example because it belongs to another user, is held like any other.
const unreadable = "unreadable"

const look = (fs: FileSystem.FileSystem, file: string) =>
  Effect.gen(function* () {
    const { ino, mtime, type } = yield* fs.stat(file)
    // Reading a pipe would wait for its writer.
    const read = type === "File" ? fs.readFileString(file) : Effect.succeed(unreadable)
    const content = yield* Effect.catchIf(read, Predicate.not(isNotFound), () => Effect.succeed(unreadable))
    const touchedAt = Option.match(mtime, { onNone: () => 0, onSome: Number })
    return { content, state: [Option.getOrElse(ino, () => 0), touchedAt, content].join(" ") }
  })

const observe = (fs: FileSystem.FileSystem, file: string, before: Option.Option<Observation>, now: number) =>
  look(fs, file).pipe(
    Effect.map((seen) => {
      const unchanged = Option.filter(before, ({ state }) => state === seen.state)
      const since = Option.match(unchanged, { onNone: () => now, onSome: (last) => last.since })
      return Option.some<Observation>({ ...seen, since })
    }),
    Effect.catchIf(isNotFound, () => Effect.succeedNone),
    Effect.orElseSucceed(() => Option.some<Observation>({ content: unreadable, state: "", since: now }))
  )

/**
 * One waiter at a time removes a stale lock, and only if it still is the one that the waiter saw. Returns whether it was
 * removed: not, for example, if it is a directory, or belongs to another user in a sticky directory.
 */
const breakStaleLock = (fs: FileSystem.FileSystem, file: string, { since, state }: Observation, now: number) =>
  Effect.gen(function* () {
    const takeoverLock = `${file}.takeover`
    if (now - since > 2 * staleAfter) yield* remove(fs, takeoverLock)
    if (!(yield* create(fs, takeoverLock, "taking over"))) return false
    // File systems have no conditional remove, and renaming the file first would let a third process create
    // it. The remaining risk: a holder, silent for five seconds, that wakes up between these two steps.
    return yield* look(fs, file).pipe(
      Effect.flatMap((seen) => (seen.state === state ? Effect.as(fs.remove(file), true) : Effect.succeed(false))),
      Effect.orElseSucceed(() => false),
      Effect.ensuring(remove(fs, takeoverLock))
    )
  })

const touchForever = (fs: FileSystem.FileSystem, file: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => fs.utimes(file, now / 1000, now / 1000)).pipe(
    Effect.ignore,
    Effect.repeat(Schedule.spaced(heartbeat))
  )

/**
 * A lock that was acquired.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lock {
  /**
   * Whether this process still holds the lock. Another process takes over the lock of one that is blocked for five
   * seconds: check before you write what the lock protects.
   */
  readonly isHeld: Effect.Effect<boolean>
}

/**
 * Takes the lock and releases it when the scope closes.
 *
 * Fails with `FileLockHeldError` if another process still holds the lock at the timeout, or if a stale lock cannot be
 * removed. Fails with a `PlatformError` if the lock file cannot be created: at once on a disk that is full or read-only,
 * and at the timeout for any other reason, such as too many open files.
 *
 * @since 0.1.0
 * @category constructors
 */
export const acquire = (
  file: string,
  options: Options
): Effect.Effect<Lock, FileLockHeldError | PlatformError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const id = String(yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER))
      const content = options.owner === undefined ? id : `${options.owner}\n${id}`
      const deadline = (yield* monotonicMillis) + Duration.toMillis(options.timeout)

      const isStale = ({ content, since }: Observation, now: number) =>
        // The file exists for a moment before its content does.
        content === "" || options.hasEnded === undefined
          ? Effect.succeed(now - since >= staleAfter)
          : options.hasEnded(ownerIn(content))

      /** Ignores a failure that may pass, such as too many open files, until the timeout. */
      const orLater = <A>(effect: Effect.Effect<A, PlatformError>, later: A, now: number) =>
        Effect.catchIf(
          effect,
          (error) => now < deadline && !isUnwritable(error) && !isDiskFull(error),
          () => Effect.succeed(later)
        )

      const attempt = (before: Option.Option<Observation>): Effect.Effect<void, FileLockHeldError | PlatformError> =>
        Effect.gen(function* () {
          const now = yield* monotonicMillis
          if (yield* orLater(create(fs, file, content), false, now)) return
          const observation = yield* observe(fs, file, before, now)
          if (Option.isSome(observation)) {
            const { content, since } = observation.value
            const stale = yield* isStale(observation.value, now)
            const isBroken = stale && (yield* orLater(breakStaleLock(fs, file, observation.value, now), false, now))
            // Another waiter may be about to remove a stale lock.
            const isLate = now >= deadline && (stale ? now - since > 3 * staleAfter : content !== "")
            if (isLate && !isBroken) return yield* new FileLockHeldError({ file, owner: ownerIn(content) })
          }
          yield* restore(Effect.sleep(retryInterval))
          return yield* attempt(observation)
        })

      const release = Effect.whenEffect(remove(fs, file), contains(fs, file, content))

      yield* attempt(Option.none())
      const heart = yield* Effect.forkDaemon(Effect.interruptible(touchForever(fs, file)))
      yield* Effect.addFinalizer(() => Effect.zipRight(Fiber.interrupt(heart), release))
      return { isHeld: contains(fs, file, content) }
    })
  )
