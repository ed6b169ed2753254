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

/** What is known of how an image was drawn. */
export type Details = Pick<GalleryImage, "prompt" | "model" | "seed">

type Size = Pick<GalleryImage, "width" | "height">

// The same from src and from dist: the package ships both, and the template in src only.
const templateUrl = new URL("../../../../src/cli/command/gallery/page.html", import.meta.url)

const byName = new Intl.Collator("en", { numeric: true })

const isImage = (name: string): boolean => !name.startsWith(".") && /\.(png|jpe?g|webp)$/i.test(name)

/** The images of the batch in its order, then those that it knows nothing of, by name. */
const inOrder = (names: ReadonlyArray<string>, details: ReadonlyMap<string, Details>): ReadonlyArray<string> => {
  const there = new Set(names)
  const others = names.filter((name) => !details.has(name)).sort(byName.compare)
  return [...[...details.keys()].filter((name) => there.has(name)), ...others]
}

const sizeOf = (head: Uint8Array): Option.Option<Size> =>
  Option.liftThrowable(imageSize)(head).pipe(
    Option.filter(({ height, type = "", width }) => ["png", "jpg", "webp"].includes(type) && width > 0 && height > 0),
    // A camera that was held upright says so instead of turning the pixels. The browser turns them.
    Option.map(({ height, orientation = 1, width }) =>
      orientation < 5 ? { width, height } : { width: height, height: width }
    )
  )

/** The size of an image is in its first bytes, unless a JPEG has a preview or a colour profile before it. */
const headSizes = [4 * 1024, 512 * 1024]

const measure = (file: string) =>
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

const leaveOut = (name: string, why: string) =>
  Effect.as(Effect.logWarning(`${JSON.stringify(name)} is not in the gallery: ${why}`), Option.none<GalleryImage>())

const lookAt = (directory: string, name: string, details: Details) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(directory, name)
    const { type } = yield* fs.stat(file)
    // Opening a pipe would wait for somebody who writes to it.
    if (type !== "File") return Option.none<GalleryImage>()
    const size = yield* measure(file)
    if (Option.isNone(size)) return yield* leaveOut(name, "it is no PNG, JPEG or WebP image that can be read.")
    const { model, prompt, seed } = details
    return Option.some<GalleryImage>({ ...size.value, file: name, prompt, model, seed })
  }).pipe(Effect.catchAll((error) => leaveOut(name, error.message)))

/**
 * Writes `index.html` beside the images of a folder: one page that needs nothing else, and no network. Details are
 * joined by file name. An image that cannot be read is left out with a warning. The path of the page is returned.
 */
export const writeGallery = (
  directory: string,
  details: ReadonlyMap<string, Details>
): Effect.Effect<string, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const template = yield* Effect.flatMap(path.fromFileUrl(templateUrl), (file) => fs.readFileString(file))
    const names = (yield* fs.readDirectory(directory)).filter(isImage)
    const found = yield* Effect.forEach(
      inOrder(names, details),
      (name) => lookAt(directory, name, details.get(name) ?? {}),
      { concurrency: 8 }
    )
    const file = path.join(directory, "index.html")
    yield* AtomicFile.write(file, pageOf(template, Array.getSomes(found)))
    return file
  })
