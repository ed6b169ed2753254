import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { AtomicFile } from "effect-arta"
import { SetupError } from "../../shared/errors.js"
import { GalleryImage } from "./contents.js"
import { dataOf } from "../../shared/page/page.js"
import { pageOf } from "./page.js"
import type { KnownImages } from "./readContents.js"
import { imagesByName, readContents } from "./readContents.js"
import { template } from "./template.js"

const isGallery = (page: string): boolean => page.includes('<meta name="generator" content="effect-arta" />')

const WrittenData = Schema.parseJson(
  Schema.Struct({ requests: Schema.Array(Schema.Struct({ images: Schema.Array(GalleryImage) })) })
)

/** The images in the last page, so that unchanged files are not read again. */
const imagesOf = (page: string): KnownImages =>
  Option.match(Schema.decodeOption(WrittenData)(dataOf(page)), {
    onNone: () => new Map(),
    onSome: ({ requests }) => imagesByName(requests)
  })

/**
 * Writes `index.html` into a directory of images: one page that needs only those images and no network. The details
 * come from the journal. An unreadable image is left out with a warning. Fails if `index.html` is another page. Returns
 * the path of the page.
 */
export const writeGalleryFromJournal = (
  directory: string
): Effect.Effect<string, PlatformError | SetupError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const file = path.join(directory, "index.html")
    const written = yield* AtomicFile.readIfExists(file)
    if (written !== undefined && !isGallery(written)) {
      return yield* new SetupError({
        message: `${file} is not a gallery of effect-arta. Move it away, then run the command again.`
      })
    }
    const contents = yield* readContents(directory, imagesOf(written ?? ""))
    yield* AtomicFile.write(file, pageOf(template, contents))
    return file
  })
