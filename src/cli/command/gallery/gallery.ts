import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { SetupError } from "../../shared/errors.js"
import * as Journal from "../../shared/journal.js"
import { writeGallery } from "./writeGallery.js"

const isGallery = (page: string): boolean => page.includes('<meta name="generator" content="effect-arta" />')

const failOnForeignPage = (directory: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, "index.html")
    if ((yield* fs.exists(file)) && !isGallery(yield* fs.readFileString(file))) {
      return yield* new SetupError({
        message: `${file} is not a gallery of effect-arta. Move it away, then run the command again.`
      })
    }
  })

/** Writes the gallery of a directory with the details in its journal. Returns the path of the page. */
export const writeGalleryFromJournal = (
  directory: string
): Effect.Effect<string, PlatformError | SetupError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    yield* failOnForeignPage(directory)
    const records = yield* Journal.read(directory)
    const files = yield* fs.readDirectory(directory)
    const details = new Map(
      records.flatMap(({ name, request }) =>
        files
          .filter((file) => file.startsWith(`${name}-`) && /^\d+\.\w+$/.test(file.slice(name.length + 1)))
          .sort()
          .map((file) => [file, request] as const)
      )
    )
    return yield* writeGallery(directory, details)
  })

/** Writes the gallery of a directory and prints its path. */
export const gallery = ({
  directory
}: {
  readonly directory: string
}): Effect.Effect<void, PlatformError | SetupError, FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(writeGalleryFromJournal(directory), (page) => Console.log(page))
