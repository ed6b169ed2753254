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
import * as Array from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { ArtaApi } from "./ArtaApi.js"
import type { DownloadError } from "./ArtaError.js"
import { temporaryFile } from "./AtomicFile.js"
import type { GenerateRequest } from "./GenerateRequest.js"
import type { Generation, Image, RecordId } from "./Generation.js"
import { concat } from "./internal/body.js"
import * as Metadata from "./internal/imageMetadata/addMetadata.js"
import { DownloadFailure } from "./internal/download/downloadFailure.js"
import { fetchImage } from "./internal/download/fetchImage.js"
import * as FileNames from "./internal/download/fileNames.js"
import type { Format } from "./internal/download/imageScan.js"
import { toDownloadError, withRecovery } from "./internal/download/recover.js"
import { isAlreadyExists } from "./internal/platformError.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Settings {
  /**
   * How long one image may take, with its retries. With `bytes`, only the time that the server takes counts. Default: 5
   * minutes.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

const defaultTimeout = Duration.minutes(5)

/**
 * Streams the bytes of an image as they arrive, over http or https, or from a `data:` URL. Trust them only after the
 * stream has ended: the last bytes are emitted before the image is known to be complete.
 *
 * Fails with `DownloadError` unless the bytes are a complete PNG, JPEG or WebP image of at most 64 MiB. Other bytes
 * after the end of the image are emitted too. Retries nothing: see `load` and `save`.
 *
 * Follows a few redirects, but never from https to http. A client that follows redirects by itself bypasses both
 * limits: give `FetchHttpClient.layer` a `RequestInit` of `{ redirect: "manual" }`.
 *
 * @since 0.1.0
 * @category downloading
 */
export const bytes = (
  image: Image,
  { timeout = defaultTimeout }: Settings = {}
): Stream.Stream<Uint8Array, DownloadError, HttpClient.HttpClient> =>
  fetchImage(image.url, Duration.decode(timeout), () => Effect.void).pipe(
    Stream.mapError((failure) => toDownloadError(image, failure)),
    Stream.withSpan("ImageFile.bytes", { attributes: { index: image.index } })
  )

/**
 * @since 0.1.0
 * @category models
 */
export type MediaType = "image/png" | "image/jpeg" | "image/webp"

/**
 * A complete image. Its media type is that of its bytes, whatever the server says.
 *
 * @since 0.1.0
 * @category models
 */
export interface LoadedImage {
  readonly bytes: Uint8Array
  readonly mediaType: MediaType
  readonly image: Image
}

/**
 * @since 0.1.0
 * @category options
 */
export interface LoadOptions extends Settings {
  /**
   * `full` writes into each image how it was generated: prompt, negative prompt, steps, guidance scale, seed, size, and
   * model, as far as the source has its request, and that a model generated it. Image viewers and other tools read the
   * text of Stable Diffusion web UI (A1111), and the standards EXIF, XMP, and IPTC. The pixels and the metadata of the
   * image stay. An image that is damaged or that is signed by C2PA stays unchanged. Default: `none`.
   */
  readonly metadata?: "full" | "none" | undefined
}

/**
 * @since 0.1.0
 * @category options
 */
export interface SaveOptions extends LoadOptions {
  /** The directory to save to. It is created if it does not exist. */
  readonly directory: string
  /**
   * How file names start, as in `name-0.png`. If it contains `{index}`, the index is put there instead. Characters that
   * some file systems reject become hyphens, and at most 130 bytes are used.
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
 * What `load` and `save` take: a `Generation` or a `Completed` event.
 *
 * @since 0.1.0
 * @category models
 */
export type Source = Pick<Generation, "recordId" | "images" | "request">

/**
 * The default start of file names, made from the prompt and the seed of a request, or from a record id. It is valid on
 * every file system. Letters that are not Latin are kept, as in `灯台-7`.
 *
 * @since 0.1.0
 * @category saving
 */
export const nameOf = (subject: GenerateRequest | RecordId): string =>
  typeof subject === "string"
    ? FileNames.slug(subject, 100)
    : FileNames.joined(FileNames.slug(subject.prompt, 60), String(subject.seed))

/**
 * The name of the file that `save` gives to an image, without the extension: the start of the name and the index, as in
 * `name-0`, or the start with the index in place of `{index}`.
 *
 * @since 0.1.0
 * @category saving
 */
export const stemOf: (name: string, index: number) => string = FileNames.stemOf

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

/** How the bytes of an image are read. `onComplete` receives the format of a complete image. */
type Read = (
  url: string,
  timeout: Duration.Duration,
  onComplete: (format: Format) => Effect.Effect<void>
) => Stream.Stream<Uint8Array, DownloadFailure, HttpClient.HttpClient>

/** Adds the metadata to an image. An image is worth saving without them, too. */
const addMetadata = (bytes: Uint8Array, mediaType: MediaType, request: GenerateRequest | undefined) =>
  Effect.orElseSucceed(
    Effect.try(() => Metadata.addMetadata(bytes, mediaType, request)),
    () => bytes
  )

const readWithMetadata =
  (request: GenerateRequest | undefined): Read =>
  (url, timeout, onComplete) =>
    Effect.gen(function* () {
      const mediaType = yield* Ref.make<MediaType>("image/png")
      const chunks = yield* Stream.runCollect(
        fetchImage(url, timeout, (format) => Effect.zipRight(Ref.set(mediaType, format.mediaType), onComplete(format)))
      )
      return yield* addMetadata(concat(chunks), yield* Ref.get(mediaType), request)
    }).pipe(Stream.fromEffect)

/** Downloads an image into a temporary file and moves it to its final name once it is complete. */
const downloadTo = (url: string, timeout: Duration.Duration, directory: string, base: string, read: Read) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    yield* fs.makeDirectory(directory, { recursive: true })
    const temporary = yield* temporaryFile(directory)
    const extension = yield* Ref.make("")
    yield* Stream.run(
      read(url, timeout, (format) => Ref.set(extension, format.extension)),
      fs.sink(temporary, { flag: "wx" })
    )
    return yield* moveToUnusedName(temporary, path.join(directory, base), yield* Ref.get(extension))
  }).pipe(
    Effect.scoped,
    Effect.mapError((error) =>
      error._tag === "DownloadFailure"
        ? error
        : new DownloadFailure({ recovery: "none", reason: error.message, path: directory })
    )
  )

const loadFrom =
  (request: GenerateRequest | undefined, metadata: LoadOptions["metadata"] = "none") =>
  (url: string, timeout: Duration.Duration, image: Image) =>
    Effect.gen(function* () {
      const format = yield* Ref.make<MediaType>("image/png")
      const chunks = yield* Stream.runCollect(fetchImage(url, timeout, ({ mediaType }) => Ref.set(format, mediaType)))
      const mediaType = yield* Ref.get(format)
      const bytes = concat(chunks)
      return {
        bytes: metadata === "full" ? yield* addMetadata(bytes, mediaType, request) : bytes,
        mediaType,
        image
      }
    })

/** Downloads the images of a generation, four at a time, each within the timeout. */
const downloadEach = <A, R>(
  { images, recordId }: Source,
  { name, timeout = defaultTimeout }: Settings & { readonly name: string },
  attempt: (url: string, timeout: Duration.Duration, image: Image) => Effect.Effect<A, DownloadFailure, R>
) =>
  Effect.forEach(
    images,
    (image) => {
      const download = { image, recordId, timeout: Duration.decode(timeout) }
      return withRecovery(download, (url) => attempt(url, download.timeout, image)).pipe(
        Effect.withSpan(name, { attributes: { recordId, index: image.index } }),
        Effect.either
      )
    },
    { concurrency: 4 }
  )

/**
 * Downloads all images of a generation into memory, four at a time. The results have the order of the images.
 *
 * Lost connections and server errors are retried three times. An image that is not there yet is waited for, for up to
 * 30 seconds, and a server that asks for a pause with `Retry-After` gets it. If a URL has expired, the status is
 * requested once for a new one. An image that still fails has a `DownloadError` with the `recordId` as its result.
 *
 * @since 0.1.0
 * @category downloading
 */
export const load = (
  source: Source,
  { metadata, timeout }: LoadOptions = {}
): Effect.Effect<ReadonlyArray<Either.Either<LoadedImage, DownloadError>>, never, ArtaApi | HttpClient.HttpClient> =>
  downloadEach(source, { timeout, name: "ImageFile.load" }, loadFrom(source.request, metadata))

/**
 * Downloads all images of a generation as `load` does, but saves each under a name made from prompt, seed and index, or
 * from the record id if the request is unknown. No file is overwritten.
 *
 * @since 0.1.0
 * @category saving
 */
export const save = (
  source: Source,
  { directory, metadata = "none", name, timeout }: SaveOptions
): Effect.Effect<ReadonlyArray<Saved>, never, ArtaApi | HttpClient.HttpClient | FileSystem.FileSystem | Path.Path> => {
  const start = name ?? nameOf(source.request ?? source.recordId)
  const read = metadata === "full" ? readWithMetadata(source.request) : fetchImage
  return downloadEach(source, { timeout, name: "ImageFile.save" }, (url, timeout, image) =>
    downloadTo(url, timeout, directory, stemOf(start, image.index), read)
  ).pipe(Effect.map(Array.zipWith(source.images, (result, image): Saved => ({ image, result }))))
}
