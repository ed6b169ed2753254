import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { Failure } from "../../shared/errors.js"
import { writeGalleryFromJournal } from "./writeGallery.js"

export interface Input {
  readonly directory: string
  readonly serve: boolean
  /** The port to serve on. 0: a free one. */
  readonly port: number
}

/** Writes the gallery of a directory and prints its path, or serves it and prints its URL. */
export const gallery = ({
  directory,
  port,
  serve
}: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  serve
    ? Effect.flatMap(
        Effect.promise(() => import("./serve.js")),
        ({ serveGallery }) => serveGallery(directory, port)
      )
    : Effect.flatMap(writeGalleryFromJournal(directory), (page) => Console.log(page))
