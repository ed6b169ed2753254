import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { hostname } from "node:os"
import { SetupError } from "../../shared/errors.js"

const isAlive = (pid: number): Effect.Effect<boolean> =>
  Effect.try(() => process.kill(pid, 0)).pipe(
    Effect.as(true),
    // What may not be signalled is there all the same.
    Effect.catchAll(({ error }) => Effect.succeed(error instanceof Error && "code" in error && error.code === "EPERM"))
  )

// A process id means something on its own machine, or in its own container, only.
const me = `${String(process.pid)} on ${hostname()}`

/** Whether a holder may still be at work. In a container every process may have the id that the killed one had. */
const mayBeAtWork = (holder: string): Effect.Effect<boolean> => {
  if (holder === "" || holder === me) return Effect.succeed(false)
  const [pid = "", host] = holder.split(" on ", 2)
  return host === hostname() ? isAlive(Number(pid)) : Effect.succeed(true)
}

class Nameless extends Data.TaggedError("Nameless") {}

const failedWith =
  (reason: "AlreadyExists" | "NotFound") => (error: { readonly _tag: string; readonly reason?: unknown }) =>
    error._tag === "SystemError" && error.reason === reason

/** Keeps a folder for one batch at a time. What a killed batch left behind is in nobody's way. */
export const locked = (
  directory: string
): Effect.Effect<void, SetupError | PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, ".effect-arta.lock")
    yield* fs.makeDirectory(directory, { recursive: true })

    const take = fs.writeFileString(file, me, { flag: "wx" })
    // The file is there a moment before the id is in it.
    const holderOf = fs.readFileString(file).pipe(
      Effect.filterOrFail(
        (text) => text !== "",
        () => new Nameless()
      ),
      Effect.retry({ while: (error) => error._tag === "Nameless", times: 20, schedule: Schedule.spaced("50 millis") }),
      Effect.catchTag("Nameless", () => Effect.succeed(""))
    )

    // Of several that find a dead holder's file, one moves it away. A file that is not the dead one's goes back.
    const breakStaleLock = (holder: string) =>
      Effect.gen(function* () {
        const grave = `${file}.${String(process.pid)}`
        yield* fs.rename(file, grave)
        if ((yield* fs.readFileString(grave)) === holder) yield* fs.remove(grave)
        else yield* fs.rename(grave, file)
      })

    const acquire: Effect.Effect<void, SetupError | PlatformError> = Effect.catchIf(
      take,
      failedWith("AlreadyExists"),
      () =>
        Effect.gen(function* () {
          const holder = yield* holderOf
          if (yield* mayBeAtWork(holder)) {
            return yield* new SetupError({
              message:
                `Another batch (process ${holder}) is at work in ${directory}. Wait for it, or stop it. ` +
                `Where there is none any more, remove ${file}.`
            })
          }
          yield* breakStaleLock(holder)
          yield* acquire
        }).pipe(Effect.catchIf(failedWith("NotFound"), () => acquire))
    )
    yield* Effect.acquireRelease(acquire, () => Effect.ignore(fs.remove(file, { force: true })))
  })
