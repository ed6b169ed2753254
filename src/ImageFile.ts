/**
 * From an image's URL to a file.
 *
 * @example
 * ```ts
 * import { Arta, ImageFile } from "effect-arta"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const generation = yield* Arta.run({ prompt: "a lighthouse at dawn" })
 *   return yield* ImageFile.save(generation.images[0], { directory: "images", name: "lighthouse" })
 * })
 * ```
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import { DownloadError } from "./ArtaError.js"
import type { Image } from "./Generation.js"
import { untraced } from "./internal/http.js"

/**
 * A fetched image, and the file extension that its content calls for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Downloaded {
  readonly bytes: Uint8Array
  readonly extension: string
}

const signatures: ReadonlyArray<readonly [extension: string, pattern: RegExp]> = [
  ["png", /^\x89PNG\r\n\x1a\n/],
  ["jpg", /^\xff\xd8\xff/],
  ["webp", /^RIFF[^]{4}WEBP/]
]

const extensionOf = (bytes: Uint8Array): string | undefined => {
  const head = String.fromCharCode(...bytes.subarray(0, 12))
  return signatures.find(([, pattern]) => pattern.test(head))?.[0]
}

/**
 * Fetches an image. Fails where the answer is not a PNG, JPEG or WebP picture.
 *
 * @since 0.1.0
 * @category downloading
 */
export const download = Effect.fn("ImageFile.download")(function* ({
  url
}: Image): Effect.fn.Return<Downloaded, DownloadError, HttpClient.HttpClient> {
  const failed = (reason: string) => new DownloadError({ url, reason })
  const client = untraced(yield* HttpClient.HttpClient)
  const response = yield* Effect.mapError(client.get(url), () => failed("the connection failed"))
  if (response.status !== 200) return yield* failed(`the server answered ${String(response.status)}`)
  const bytes = new Uint8Array(yield* Effect.mapError(response.arrayBuffer, () => failed("the picture broke off")))
  const extension = extensionOf(bytes)
  return extension === undefined ? yield* failed("the answer is not a picture") : { bytes, extension }
})

/**
 * @since 0.1.0
 * @category options
 */
export interface SaveOptions {
  /** The folder to save to. It is created where it is missing. */
  readonly directory: string
  /** The name of the file, without its extension. */
  readonly name: string
}

/**
 * Fetches an image, saves it under a name that no other file has, and returns the path.
 *
 * @since 0.1.0
 * @category downloading
 */
export const save = Effect.fn("ImageFile.save")(function* (
  image: Image,
  { directory, name }: SaveOptions
): Effect.fn.Return<string, DownloadError, HttpClient.HttpClient | FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { bytes, extension } = yield* download(image)

  const write = (attempt: number): Effect.Effect<string, PlatformError> => {
    const file = path.join(directory, `${attempt === 1 ? name : `${name}-${String(attempt)}`}.${extension}`)
    return fs.writeFile(file, bytes, { flag: "wx" }).pipe(
      Effect.as(file),
      Effect.catchIf(
        (error) => error._tag === "SystemError" && error.reason === "AlreadyExists",
        () => write(attempt + 1)
      )
    )
  }

  return yield* fs.makeDirectory(directory, { recursive: true }).pipe(
    Effect.zipRight(write(1)),
    Effect.mapError((error) => new DownloadError({ url: image.url, reason: error.message }))
  )
})
