/**
 * Downloads the images of a generation and saves them to files.
 *
 * Only complete images are saved. An error page, an empty response, a truncated image or another kind of file fails
 * with `DownloadError` and leaves no file. If one image fails, the others are still saved.
 *
 * @example
 * ```ts
 * import { Arta, ImageFile } from "effect-arta"
 * import { Console, Effect, Either } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const generation = yield* Arta.run({ prompt: "a lighthouse at dawn", n: 2 })
 *   for (const { result } of yield* ImageFile.save(generation, { directory: "images" })) {
 *     yield* Either.match(result, {
 *       onLeft: (error) => Console.error(error.message),
 *       onRight: (path) => Console.log(`saved ${path}`)
 *     })
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { ArtaApi } from "./ArtaApi.js"
import { DownloadError } from "./ArtaError.js"
import { temporaryFile } from "./AtomicFile.js"
import type { GenerateRequest } from "./GenerateRequest.js"
import type { Generation, Image, RecordId } from "./Generation.js"
import { DownloadFailure, fetchImage } from "./internal/download/fetchImage.js"
import { isAlreadyExists } from "./internal/platformError.js"
import { backoff } from "./internal/retry.js"

/**
 * Streams the bytes of an image as they arrive, over http or https. Trust them only after the stream has ended: the
 * last bytes are emitted before the image is known to be complete.
 *
 * Fails with `DownloadError` unless the bytes are a complete PNG, JPEG or WebP image of at most 64 MiB.
 *
 * Follows a few redirects, but never from https to http. A client that follows redirects by itself bypasses both
 * limits: give `FetchHttpClient.layer` a `RequestInit` of `{ redirect: "manual" }`.
 *
 * @since 0.1.0
 * @category downloading
 */
export const bytes = (image: Image): Stream.Stream<Uint8Array, DownloadError, HttpClient.HttpClient> =>
  Stream.mapError(
    fetchImage(image.url, () => Effect.void),
    ({ reason }) => new DownloadError({ url: image.url, reason })
  )

/**
 * @since 0.1.0
 * @category options
 */
export interface SaveOptions {
  /** The directory to save to. It is created if it does not exist. */
  readonly directory: string
  /**
   * How file names start, as in `name-0.png`. Characters that some file systems reject become hyphens.
   * Default: `nameOf` the request, or the record id if the request is unknown.
   */
  readonly name?: string | undefined
}

/**
 * The outcome for one image: the path of its file, or the error.
 *
 * @since 0.1.0
 * @category models
 */
export interface Saved {
  readonly image: Image
  readonly result: Either.Either<string, DownloadError>
}

/**
 * What `save` takes: a `Generation` or a `Completed` event.
 *
 * @since 0.1.0
 * @category models
 */
export type Source = Pick<Generation, "recordId" | "images" | "request">

const slug = (text: string, maxLength: number): string =>
  text
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, maxLength)
    .replace(/^-|-$/g, "")

const joined = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join("-")

/**
 * The default start of file names, made from the prompt and the seed of a request, or from a record id. It is valid on
 * every file system.
 *
 * @since 0.1.0
 * @category saving
 */
export const nameOf = (subject: GenerateRequest | RecordId): string =>
  typeof subject === "string" ? slug(subject, 100) : joined(slug(subject.prompt, 60), String(subject.seed))

/** Moves a file to the first unused name of `base.ext`, `base-2.ext`, `base-3.ext`, … and returns the path. */
const moveToUnusedName = (
  temporary: string,
  base: string,
  extension: string,
  attempt = 1
): Effect.Effect<string, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = `${attempt === 1 ? base : `${base}-${String(attempt)}`}.${extension}`
    // Unlike a rename, a link fails if the name is taken. On file systems without links, reserve the name instead.
    const reserveAndRename = Effect.zipRight(
      fs.writeFile(file, new Uint8Array(), { flag: "wx" }),
      Effect.onError(fs.rename(temporary, file), () => Effect.ignore(fs.remove(file)))
    ).pipe(Effect.uninterruptible)
    yield* Effect.catchIf(fs.link(temporary, file), Predicate.not(isAlreadyExists), () => reserveAndRename)
    return file
  }).pipe(Effect.catchIf(isAlreadyExists, () => moveToUnusedName(temporary, base, extension, attempt + 1)))

/** Downloads an image into a temporary file and moves it to its final name once it is complete. */
const downloadTo = (directory: string, base: string, url: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const temporary = yield* temporaryFile(directory)
    const extension = yield* Ref.make("")
    yield* Stream.run(
      fetchImage(url, (found) => Ref.set(extension, found)),
      fs.sink(temporary, { flag: "wx" })
    )
    return yield* moveToUnusedName(temporary, path.join(directory, base), yield* Ref.get(extension))
  }).pipe(
    Effect.scoped,
    Effect.retry({
      schedule: backoff,
      times: 3,
      while: (error) => error._tag === "DownloadFailure" && error.recovery === "retry"
    })
  )

/** Asks the service for an image's current URL. Returns the old URL if the service has no newer one. */
const refreshUrl = (recordId: RecordId, image: Image) =>
  Effect.flatMap(ArtaApi, (api) => api.status(recordId)).pipe(
    Effect.map((status) => (status._tag === "Done" ? status.images : [])),
    Effect.orElseSucceed((): ReadonlyArray<Image> => []),
    Effect.map((images) => images.find(({ index }) => index === image.index)?.url ?? image.url)
  )

const saveOne = (source: Source, image: Image, { directory, name }: SaveOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const start = name === undefined ? nameOf(source.request ?? source.recordId) : slug(name, 100)
    const base = joined(start, String(image.index))

    yield* fs.makeDirectory(directory, { recursive: true })
    return yield* downloadTo(directory, base, image.url).pipe(
      Effect.catchIf(
        (error) => error._tag === "DownloadFailure" && error.recovery === "new url",
        () => Effect.flatMap(refreshUrl(source.recordId, image), (url) => downloadTo(directory, base, url))
      )
    )
  }).pipe(
    Effect.mapError((error) => {
      const why =
        error instanceof DownloadFailure ? { reason: error.reason } : { reason: error.message, path: directory }
      return new DownloadError({ ...why, url: image.url, recordId: source.recordId })
    }),
    Effect.withSpan("ImageFile.save", { attributes: { recordId: source.recordId, index: image.index } })
  )

/**
 * Downloads all images of a generation, four at a time, and saves each under a name made from prompt, seed and index,
 * or from the record id if the request is unknown. No file is overwritten.
 *
 * Lost connections and server errors are retried three times. If a URL has expired, the status is requested once for a
 * new one. An image that still fails has a `DownloadError` with the `recordId` as its result.
 *
 * @since 0.1.0
 * @category saving
 */
export const save = (
  source: Source,
  options: SaveOptions
): Effect.Effect<ReadonlyArray<Saved>, never, ArtaApi | HttpClient.HttpClient | FileSystem.FileSystem | Path.Path> =>
  Effect.forEach(
    source.images,
    (image) => Effect.map(Effect.either(saveOne(source, image, options)), (result): Saved => ({ image, result })),
    { concurrency: 4 }
  )
