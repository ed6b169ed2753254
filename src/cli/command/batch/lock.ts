import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { FileLock } from "effect-arta"
import { SetupError } from "../../shared/errors.js"
import * as LockOwner from "./lockOwner.js"

/** A directory that this batch has reserved. */
export interface DirectoryLock {
  /**
   * Fails if another batch has taken the directory over. A batch that was suspended must find out before it sends more.
   */
  readonly ensureHeld: Effect.Effect<void, SetupError>
}

// The holder touches the file once a second. It may be slow, or on a disk that shows changes late.
const silentSeconds = 15

/** Whether nobody touches a lock file for a while. */
const isSilent = (file: string, owner: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    // Network file systems show the time of a change late, unless the file is opened.
    const touchedAt = Effect.zipRight(fs.readFileString(file), fs.stat(file)).pipe(
      Effect.map(({ mtime }) => Option.match(mtime, { onNone: () => 0, onSome: Number }))
    )
    const before = yield* touchedAt
    yield* Console.error(
      `There is a lock of another batch (process ${LockOwner.formatShort(owner)}). ` +
        `Waiting up to ${String(silentSeconds)} seconds to see whether that batch still runs.`
    )
    const last = yield* Effect.repeat(Effect.delay(touchedAt, "1 second"), {
      schedule: Schedule.recurs(silentSeconds - 1),
      until: (now) => now !== before
    }).pipe(Effect.zipRight(touchedAt))
    return last === before
  }).pipe(
    // Released meanwhile.
    Effect.orElseSucceed(() => true),
    Effect.interruptible
  )

/**
 * Whether the batch that wrote `owner` has ended. Looks for its process only where process ids mean the same as here.
 * From another container, and after a restart, a batch has ended if it no longer touches the lock. A batch on another
 * machine may be silent and still run.
 */
const hasEnded = (file: string, here: LockOwner.LockOwner) => (owner: string) =>
  Option.match(LockOwner.parse(owner), {
    onNone: () => Effect.succeed(false),
    onSome: (holder) => {
      if (LockOwner.inSameNamespace(holder, here)) return Effect.negate(LockOwner.isRunning(holder))
      return LockOwner.onSameMachine(holder, here) ? isSilent(file, owner) : Effect.succeed(false)
    }
  })

/** Reserves a directory for one batch at a time. Takes over the lock of a batch that has ended. */
export const lockDirectory = (
  directory: string
): Effect.Effect<DirectoryLock, SetupError | PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<FileSystem.FileSystem>()
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, ".effect-arta.lock")
    const here = yield* LockOwner.thisProcess
    yield* fs.makeDirectory(directory, { recursive: true })
    const { isHeld } = yield* FileLock.acquire(file, {
      timeout: 0,
      owner: LockOwner.format(here),
      hasEnded: (owner) => Effect.provide(hasEnded(file, here)(owner), context)
    }).pipe(
      Effect.catchTag(
        "FileLockHeldError",
        ({ owner }) =>
          new SetupError({
            message:
              `Another batch (process ${LockOwner.formatShort(owner)}) is running in ${directory}. ` +
              `Wait for it, or stop it. If it no longer runs, remove ${file}.`
          })
      )
    )
    const lost = new SetupError({
      message:
        `The lock of this batch, ${file}, was removed or taken over while the batch was suspended. The batch has ` +
        "stopped, so that no row is sent twice. Run the same command again when no other batch runs in the directory."
    })
    // Nobody takes over a lock that was held a second ago.
    return { ensureHeld: yield* Effect.cachedWithTTL(Effect.unlessEffect(lost, isHeld), "1 second") }
  })
