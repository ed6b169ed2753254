import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { writeGalleryFromJournal } from "../gallery/writeGallery.js"

const shortestPause = Duration.seconds(30)

// The gallery takes at most a thirtieth of the time.
const pauseAfter = (writing: Duration.Duration): Duration.Duration =>
  Duration.max(shortestPause, Duration.times(writing, 30))

/**
 * Writes the gallery while a batch runs: once the first image is saved, and then every 30 seconds at most. Returns what
 * to run after a row is saved. The batch writes the last gallery itself, and reports what is wrong with it.
 */
export const liveGallery = (
  directory: string
): Effect.Effect<Effect.Effect<void>, never, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const changed = yield* Effect.makeLatch()
    const write = changed.await.pipe(
      Effect.zipRight(changed.close),
      Effect.zipRight(Effect.timed(Effect.ignore(writeGalleryFromJournal(directory)))),
      Effect.flatMap(([writing]) => Effect.sleep(pauseAfter(writing)))
    )
    const isThere = yield* Effect.orElseSucceed(fs.exists(path.join(directory, "index.html")), () => false)
    yield* Effect.sleep(shortestPause).pipe(
      // A directory with many images has a gallery, which need not be written at once.
      Effect.when(() => isThere),
      Effect.zipRight(Effect.forever(write)),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.forkScoped
    )
    return Effect.asVoid(changed.open)
  })
