import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { SetupError } from "../failure.js"

const isAlive = (pid: number): Effect.Effect<boolean> =>
  Effect.try(() => process.kill(pid, 0)).pipe(
    Effect.as(true),
    // What may not be signalled is there all the same.
    Effect.catchAll(({ error }) => Effect.succeed(error instanceof Error && "code" in error && error.code === "EPERM"))
  )

/** Keeps a folder for one batch at a time. What a killed batch left behind is in nobody's way. */
export const locked = (
  directory: string
): Effect.Effect<void, SetupError | PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, ".effect-arta.lock")
    yield* fs.makeDirectory(directory, { recursive: true })

    const take = fs.writeFileString(file, String(process.pid), { flag: "wx" })
    // The file is there a moment before the id is in it.
    const holderOf = fs.readFileString(file).pipe(
      Effect.repeat({
        until: (text) => text !== "",
        schedule: Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(20))
      }),
      Effect.zipRight(fs.readFileString(file)),
      Effect.map(Number),
      Effect.orElseSucceed(() => 0)
    )
    const recover = Effect.gen(function* () {
      const holder = yield* holderOf
      // In a container every process may have the id that the killed one had.
      if (holder > 0 && holder !== process.pid && (yield* isAlive(holder))) {
        return yield* new SetupError({
          message: `Another batch (process ${String(holder)}) is at work in ${directory}. Wait for it, or stop it.`
        })
      }
      yield* fs.remove(file, { force: true })
      yield* take
    })
    yield* Effect.acquireRelease(
      Effect.catchIf(
        take,
        (error) => error._tag === "SystemError" && error.reason === "AlreadyExists",
        () => recover
      ),
      () => Effect.ignore(fs.remove(file, { force: true }))
    )
  })
