import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { SetupError } from "../../shared/errors.js"
import { writeGalleryFromJournal } from "./writeGallery.js"

/** Writes the gallery of a directory and prints its path. */
export const gallery = ({
  directory
}: {
  readonly directory: string
}): Effect.Effect<void, PlatformError | SetupError, FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(writeGalleryFromJournal(directory), (page) => Console.log(page))
