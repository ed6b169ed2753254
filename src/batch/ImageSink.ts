/**
 * Saves the images of a durable batch under stable names, to a directory or to S3-compatible storage.
 *
 * A runner that died may have saved some images of a row already. The runner that resumes the row saves under the same
 * names: a complete image that is already there is kept, an incomplete one is replaced, and an image of another
 * generation is never overwritten.
 *
 * @example
 * ```ts
 * import { ImageSink } from "effect-arta/batch"
 * import { Arta } from "effect-arta"
 * import { NodeArta } from "effect-arta/node"
 * import { Effect, Layer } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const sink = yield* ImageSink.ImageSink
 *   const generation = yield* Arta.run({ prompt: "a lighthouse" })
 *   return yield* sink.save(generation, { name: "lighthouse" }) // images/lighthouse-0.png
 * }).pipe(Effect.provide(ImageSink.layerDirectory("images").pipe(Layer.provideMerge(NodeArta.layerConfig()))))
 * ```
 *
 * @since 0.1.0
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { ArtaApi } from "../ArtaApi.js"
import type { DownloadError } from "../ArtaError.js"
import type { Image } from "../Generation.js"
import { RecordId } from "../Generation.js"
import * as ImageFile from "../ImageFile.js"
import { directoryStore } from "./internal/sink/directory.js"
import type { S3Client } from "./internal/sink/s3.js"
import { s3Store } from "./internal/sink/s3.js"
import type { Store } from "./internal/sink/store.js"

/**
 * An image that was saved. `location` is the path of a file, or a URL such as `s3://bucket/name-0.png`.
 *
 * @since 0.1.0
 * @category models
 */
export const SavedImage = Schema.Struct({
  index: Schema.NonNegativeInt,
  location: Schema.String
}).annotations({ identifier: "ArtaSavedImage" })

/**
 * @since 0.1.0
 * @category models
 */
export type SavedImage = typeof SavedImage.Type

/**
 * An image could not be saved, for example because the disk is full. `location` is the directory or the URL of the
 * object. The service keeps the images: pass the `recordId` to `Arta.resume` to get them.
 *
 * @since 0.1.0
 * @category errors
 */
export class SinkError extends Schema.TaggedError<SinkError>()("SinkError", {
  location: Schema.String,
  reason: Schema.String,
  recordId: RecordId
}) {
  override get message(): string {
    return (
      `Could not save the images of the generation ${this.recordId} to ${this.location}: ${this.reason}. ` +
      "Correct that, then start the runner again: it resumes the generation."
    )
  }
}

/**
 * @since 0.1.0
 * @category options
 */
export interface SaveOptions {
  /** How the names of the images start, as in `name-0.png`. See `ImageFile.SaveOptions`. */
  readonly name: string
  /** The batch that the generation belongs to, so that a sink of yours can keep batches apart. */
  readonly batch?: string | undefined
  /**
   * When the generation was accepted. If an image cannot be downloaded, an earlier file of its name is another image.
   * Default: a file of its name is the image, however old it is.
   */
  readonly since?: DateTime.Utc | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Downloads the images of a generation and saves each of them once, however often it is called. If one image fails,
   * the others are still saved.
   *
   * If an image of another generation has the name, it is kept, and the new one becomes `name-0-2.png`.
   */
  readonly save: (
    generation: ImageFile.Source,
    options: SaveOptions
  ) => Effect.Effect<ReadonlyArray<SavedImage>, DownloadError | SinkError, ArtaApi | HttpClient.HttpClient>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class ImageSink extends Context.Tag("effect-arta/ImageSink")<ImageSink, Service>() {}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Whether each image gets the metadata of its generation. See `ImageFile.SaveOptions`. Default: `none`. */
  readonly metadata?: "full" | "none" | undefined
}

/** Saves one image. If its URL has expired, an image that was saved earlier is enough. */
const saveImage = (
  store: Store,
  recordId: RecordId,
  { since, stem }: { readonly stem: string; readonly since: DateTime.Utc | undefined },
  image: Image,
  loaded: Either.Either<ImageFile.LoadedImage, DownloadError>
): Effect.Effect<SavedImage, DownloadError | SinkError> =>
  Either.match(loaded, {
    onLeft: (error): Effect.Effect<string, DownloadError | SinkError> =>
      Effect.flatMap(store.find(stem, recordId, since), Option.match({ onNone: () => error, onSome: Effect.succeed })),
    onRight: (bytes) =>
      Effect.mapError(
        store.put(stem, bytes, recordId),
        ({ location, reason }) => new SinkError({ location, reason, recordId })
      )
  }).pipe(Effect.map((location) => ({ index: image.index, location })))

const make = (store: Store, { metadata }: Options): Service => ({
  save: (generation, { name, since }) =>
    Effect.gen(function* () {
      const loaded = yield* ImageFile.load(generation, { metadata })
      const attempts = yield* Effect.forEach(Array.zip(generation.images, loaded), ([image, result]) =>
        Effect.either(
          saveImage(store, generation.recordId, { stem: ImageFile.stemOf(name, image.index), since }, image, result)
        )
      )
      return yield* Either.all(attempts)
    })
})

/**
 * Saves to a directory, which is created if it does not exist. Runners on several machines can share it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerDirectory = (
  directory: string,
  options: Options = {}
): Layer.Layer<ImageSink, never, FileSystem.FileSystem | Path.Path | HttpClient.HttpClient> =>
  Layer.effect(
    ImageSink,
    Effect.map(directoryStore(directory), (store) => make(store, options))
  )

/**
 * @since 0.1.0
 * @category options
 */
export interface S3Options extends Options {
  /** The bucket. It must exist. */
  readonly bucket: string
  /** The start of every key, such as `images/2026`. A slash separates it from the name. Default: none. */
  readonly prefix?: string | undefined
  /** An `S3` of `@aws-sdk/client-s3`, or an object with the same two methods. It retries failed requests itself. */
  readonly client: S3Client
}

/**
 * Saves to S3-compatible storage. Needs the permissions to get and put objects. Each object has the record id of its
 * generation in its metadata.
 *
 * @example
 * ```ts
 * import { S3 } from "@aws-sdk/client-s3"
 * import { ImageSink } from "effect-arta/batch"
 *
 * const client = new S3({ region: "eu-north-1" })
 *
 * export const SinkLayer = ImageSink.layerS3({ bucket: "images", prefix: "night-run", client })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerS3 = (options: S3Options): Layer.Layer<ImageSink> =>
  Layer.sync(ImageSink, () => make(s3Store(options), options))
