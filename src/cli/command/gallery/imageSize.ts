import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { JPG } from "image-size/types/jpg"
import { PNG } from "image-size/types/png"
import { WEBP } from "image-size/types/webp"
import { closeSync, openSync, readSync } from "node:fs"

/** Width and height in pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

// `imageSize` tries twenty formats, which takes longer than reading the file (image-size 2.1).
const formats = [PNG, JPG, WEBP]

const calculate = Option.liftThrowable((head: Uint8Array) =>
  formats.find((format) => format.validate(head))?.calculate(head)
)

const sizeOf = (head: Uint8Array): Option.Option<Size> =>
  calculate(head).pipe(
    Option.flatMap(Option.fromNullable),
    Option.filter(({ height, width }) => width > 0 && height > 0),
    // A camera held upright records its orientation instead of rotating the pixels. The browser rotates them.
    Option.map(({ height, orientation = 1, width }) =>
      orientation < 5 ? { width, height } : { width: height, height: width }
    )
  )

/** The first bytes contain the size, unless a JPEG starts with a preview or a color profile. */
const headSizes = [512, 64 * 1024, 512 * 1024]

/** A file that cannot be opened or read. */
export class UnreadableFile extends Data.TaggedError("UnreadableFile")<{ readonly message: string }> {}

const attempt = <A>(evaluate: () => A): Effect.Effect<A, UnreadableFile> =>
  Effect.try({ try: evaluate, catch: (error) => new UnreadableFile({ message: String(error) }) })

// Synchronous, since `FileSystem` takes ten times as long for so few bytes.
const readHead = (file: string, length: number): Effect.Effect<Uint8Array, UnreadableFile> =>
  Effect.acquireUseRelease(
    attempt(() => openSync(file, "r")),
    (descriptor) =>
      attempt(() => {
        const head = new Uint8Array(length)
        return head.subarray(0, readSync(descriptor, head))
      }),
    (descriptor) =>
      Effect.sync(() => {
        closeSync(descriptor)
      })
  )

/** Reads the size of a PNG, JPEG or WebP image from the start of its file. None: the file is no such image. */
export const readSize = (file: string): Effect.Effect<Option.Option<Size>, UnreadableFile> =>
  Effect.reduceWhile(headSizes, Option.none<Size>(), {
    while: Option.isNone,
    body: (_, length) => Effect.map(readHead(file, length), sizeOf)
  })
