import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { ArtaApi, ArtaError, GenerateRequest, Generation } from "effect-arta"
import { ImageFile } from "effect-arta"
import type { FileNames } from "./fileNames.js"
import type { Journal } from "./journal.js"
import type { OutputOptions } from "./options.js"

export type SaveServices = ArtaApi.ArtaApi | HttpClient.HttpClient | FileSystem.FileSystem | Path.Path

export interface SaveResult {
  readonly paths: ReadonlyArray<string>
  readonly failures: ReadonlyArray<ArtaError.DownloadError>
}

export interface Target extends OutputOptions {
  readonly name: string
  /** The request, if it is known: the metadata of the files. */
  readonly request?: GenerateRequest.GenerateRequest
  /** The files in the directory. */
  readonly files: FileNames
}

/** Saves the images that the directory lacks. Writes are atomic, so an existing file is complete. */
export const saveMissing = (
  { images, recordId }: Generation.Generation,
  { files, metadata, name, output: directory, ...known }: Target
): Effect.Effect<SaveResult, never, SaveServices> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const [missing, present] = Array.partitionMap(images, (image) =>
      Option.match(files.startingWith(`${ImageFile.stemOf(name, image.index)}.`), {
        onNone: () => Either.left(image),
        onSome: (file) => Either.right(path.join(directory, file))
      })
    )
    if (!Array.isNonEmptyArray(missing)) return { paths: present, failures: [] }
    const saved = yield* ImageFile.save({ recordId, images: missing, ...known }, { directory, name, metadata })
    const [failures, paths] = Array.separate(saved.map(({ result }) => result))
    return { paths: [...present, ...paths], failures }
  })

/** Saves the images under the name that the journal has for them. Records that once all are saved. */
export const saveJournaled =
  (journal: Journal, key: string, { metadata, output }: OutputOptions) =>
  (done: Generation.Generation): Effect.Effect<SaveResult, PlatformError, SaveServices> =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const { name, request } = yield* Effect.flatMap(journal.records, (records) =>
        Effect.orDie(HashMap.get(records, key))
      )
      const result = yield* saveMissing(done, { metadata, output, name, request, files: journal.files })
      if (result.failures.length === 0) {
        yield* journal.note({ _tag: "Saved", key, files: result.paths.map((file) => path.basename(file)) })
      }
      return result
    })
