/**
 * From a finished generation to files.
 *
 * Only whole images are kept: an error page, an empty answer, an image that broke off or a file of another kind is a
 * `DownloadError`, and never a file. What one image fails with costs none of the others.
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
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { ArtaApi } from "./ArtaApi.js"
import { DownloadError } from "./ArtaError.js"
import type { GenerateRequest } from "./GenerateRequest.js"
import type { Generation, Image, RecordId } from "./Generation.js"
import { fetchImage, DownloadFailure } from "./internal/download/fetchImage.js"
import { backoff } from "./internal/retry.js"

/**
 * The bytes of an image as they arrive, from http and https only. The last of them is emitted before it is known whether
 * the image is whole, so wait for the end of the stream before you trust it.
 *
 * Fails with `DownloadError` on anything that is not a whole PNG, JPEG or WebP image of at most 64 MiB.
 *
 * Redirects are followed to a bound, and never from https to http. A client that follows them by itself takes them out of
 * these hands: give `FetchHttpClient.layer` a `RequestInit` of `{ redirect: "manual" }`.
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
  /** The folder to save to. It is created where it is missing. */
  readonly directory: string
  /**
   * What the names of the files start with, as in `name-0.png`. What some file system may not take becomes a hyphen.
   * Default: `nameOf` the request, or the record id where there is no request.
   */
  readonly name?: string | undefined
}

/**
 * How one image was saved: the path of its file, or why there is none.
 *
 * @since 0.1.0
 * @category models
 */
export interface Saved {
  readonly image: Image
  readonly result: Either.Either<string, DownloadError>
}

/**
 * What `save` needs to know of a generation: a `Generation` is one, and so is a `Completed` event.
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
 * What the names of files start with by default: made from the prompt and the seed of a request, or from a record id.
 * Every file system takes it.
 *
 * @since 0.1.0
 * @category saving
 */
export const nameOf = (subject: GenerateRequest | RecordId): string =>
  typeof subject === "string" ? slug(subject, 100) : joined(slug(subject.prompt, 60), String(subject.seed))

const isTaken = (error: PlatformError): boolean => error._tag === "SystemError" && error.reason === "AlreadyExists"

/** Gives a file the first free one of the names `name.ext`, `name-2.ext`, `name-3.ext`, … */
const publish = (
  fs: FileSystem.FileSystem,
  temporary: string,
  pathOf: (suffix: string) => string,
  attempt = 1
): Effect.Effect<string, PlatformError> => {
  const path = pathOf(attempt === 1 ? "" : `-${String(attempt)}`)
  // A link, unlike a rename, fails where something stands already. Some file systems have none, and reserve the name.
  const place = Effect.catchIf(
    fs.link(temporary, path),
    (error) => !isTaken(error),
    () =>
      Effect.zipRight(
        fs.writeFile(path, new Uint8Array(), { flag: "wx" }),
        Effect.onError(fs.rename(temporary, path), () => Effect.ignore(fs.remove(path)))
      ).pipe(Effect.uninterruptible)
  )
  return Effect.as(place, path).pipe(Effect.catchIf(isTaken, () => publish(fs, temporary, pathOf, attempt + 1)))
}

const saveOne = (source: Source, image: Image, { directory, name }: SaveOptions) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const api = yield* ArtaApi
    const url = yield* Ref.make(image.url)

    const renewUrl = Effect.gen(function* () {
      const status = yield* Effect.option(api.status(source.recordId))
      const images = status._tag === "Some" && status.value._tag === "Done" ? status.value.images : []
      const renewed = images.find(({ index }) => index === image.index)?.url
      if (renewed !== undefined) yield* Ref.set(url, renewed)
    })

    const temporaryFile = Effect.acquireRelease(
      Effect.map(Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER), (n) => path.join(directory, `.${String(n)}.part`)),
      (file) => Effect.ignore(fs.remove(file, { force: true }))
    )

    const attempt = Effect.gen(function* () {
      const temporary = yield* temporaryFile
      const extension = yield* Ref.make("")
      const body = fetchImage(yield* Ref.get(url), (found) => Ref.set(extension, found))
      yield* Stream.run(body, fs.sink(temporary, { flag: "wx" }))
      const ending = `.${yield* Ref.get(extension)}`
      const start = name === undefined ? nameOf(source.request ?? source.recordId) : slug(name, 100)
      const base = joined(start, String(image.index))
      return yield* publish(fs, temporary, (suffix) => path.join(directory, base + suffix + ending))
    }).pipe(Effect.scoped)

    const patient = Effect.retry(attempt, {
      schedule: backoff,
      times: 3,
      while: (error) => error._tag === "DownloadFailure" && error.recovery === "retry"
    })

    yield* fs.makeDirectory(directory, { recursive: true })
    return yield* patient.pipe(
      Effect.catchIf(
        (error) => error._tag === "DownloadFailure" && error.recovery === "new url",
        () => Effect.zipRight(renewUrl, patient)
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
 * Fetches all images of a generation, four at a time, and saves each under a name made from prompt, seed and index, or
 * from the record id where there is no request. No file is overwritten.
 *
 * Lost connections and servers in trouble are tried again, three times. Where an address has expired, the status is asked
 * once for a new one. What still fails is in the result of its image, as a `DownloadError` with the `recordId`.
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
