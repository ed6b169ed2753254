import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { FileLock } from "effect-arta"
import { hostname } from "node:os"
import { SetupError } from "../../shared/errors.js"

const isAlive = (pid: number): Effect.Effect<boolean> =>
  Effect.try(() => process.kill(pid, 0)).pipe(
    Effect.as(true),
    // EPERM: the process exists, but belongs to another user.
    Effect.catchAll(({ error }) => Effect.succeed(error instanceof Error && "code" in error && error.code === "EPERM"))
  )

// A process id is unique only on its own machine or in its own container.
const thisProcess = `${String(process.pid)} on ${hostname()}`

/** Whether the batch that wrote `owner` has ended. A restarted container often gives a process the same id again. */
const hasEnded = (owner: string): Effect.Effect<boolean> => {
  const [pid = "", host] = owner.split(" on ", 2)
  if (owner === thisProcess) return Effect.succeed(true)
  return host === hostname() ? Effect.negate(isAlive(Number(pid))) : Effect.succeed(false)
}

/**
 * Reserves a directory for one batch at a time. The lock of a process that has ended is taken over, but never the lock
 * of a process that is silent or runs on another machine: it might wake up and submit the same rows.
 */
export const lockDirectory = (
  directory: string
): Effect.Effect<void, SetupError | PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, ".effect-arta.lock")
    yield* fs.makeDirectory(directory, { recursive: true })
    yield* FileLock.acquire(file, { timeout: 0, owner: thisProcess, hasEnded }).pipe(
      Effect.catchTag(
        "FileLockHeldError",
        ({ owner }) =>
          new SetupError({
            message:
              `Another batch (process ${owner}) is running in ${directory}. Wait for it, or stop it. ` +
              `If it no longer runs, remove ${file}.`
          })
      )
    )
  })
