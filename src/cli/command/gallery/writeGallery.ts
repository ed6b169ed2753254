import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { AtomicFile } from "effect-arta"
import { imageSize } from "image-size"
import type { GalleryImage } from "./page.js"
import { pageOf } from "./page.js"
import { template } from "./template.js"

/** The part of the request that the gallery shows. */
export type Details = Pick<GalleryImage, "prompt" | "model" | "seed">

type Size = Pick<GalleryImage, "width" | "height">

const byName = new Intl.Collator("en", { numeric: true })

const isImage = (name: string): boolean => !name.startsWith(".") && /\.(png|jpe?g|webp)$/i.test(name)

/** The images with details in the order of their details, then the others by name. */
const sortImages = (names: ReadonlyArray<string>, details: ReadonlyMap<string, Details>): ReadonlyArray<string> => {
  const existing = new Set(names)
  const known = [...details.keys()].filter((name) => existing.has(name))
  const others = names.filter((name) => !details.has(name)).sort(byName.compare)
  return [...known, ...others]
}

const sizeOf = (head: Uint8Array): Option.Option<Size> =>
  Option.liftThrowable(imageSize)(head).pipe(
    Option.filter(({ height, type = "", width }) => ["png", "jpg", "webp"].includes(type) && width > 0 && height > 0),
    // A camera held upright records its orientation instead of rotating the pixels. The browser rotates them.
    Option.map(({ height, orientation = 1, width }) =>
      orientation < 5 ? { width, height } : { width: height, height: width }
    )
  )

/** The first bytes contain the size, unless a JPEG starts with a preview or a color profile. */
const headSizes = [4 * 1024, 512 * 1024]

const readSize = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const sizeWithin = (bytes: number) =>
      Effect.scoped(Effect.flatMap(fs.open(file), (handle) => handle.readAlloc(bytes))).pipe(
        Effect.map(Option.flatMap(sizeOf))
      )
    return yield* Effect.reduceWhile(headSizes, Option.none<Size>(), {
      while: Option.isNone,
      body: (_, bytes) => sizeWithin(bytes)
    })
  })

const skipImage = (name: string, why: string) =>
  Effect.as(Effect.logWarning(`${JSON.stringify(name)} is not in the gallery: ${why}`), Option.none<GalleryImage>())

const readImage = (directory: string, name: string, details: Details) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, name)
    const { type } = yield* fs.stat(file)
    // Opening a pipe would block until something writes to it.
    if (type !== "File") return Option.none<GalleryImage>()
    const size = yield* readSize(file)
    if (Option.isNone(size)) return yield* skipImage(name, "it is not a readable PNG, JPEG or WebP image.")
    const { model, prompt, seed } = details
    return Option.some<GalleryImage>({ ...size.value, file: name, prompt, model, seed })
  }).pipe(Effect.catchAll((error) => skipImage(name, error.message)))

/**
 * Writes `index.html` into a directory of images: one page that needs only those images and no network. Details are
 * matched by file name. An unreadable image is left out with a warning. Returns the path of the page.
 */
export const writeGallery = (
  directory: string,
  details: ReadonlyMap<string, Details>
): Effect.Effect<string, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = (yield* fs.readDirectory(directory)).filter(isImage)
    const images = yield* Effect.forEach(
      sortImages(names, details),
      (name) => readImage(directory, name, details.get(name) ?? {}),
      { concurrency: 8 }
    )
    const path = yield* Path.Path
    const file = path.join(directory, "index.html")
    yield* AtomicFile.write(file, pageOf(template, Array.getSomes(images)))
    return file
  })
