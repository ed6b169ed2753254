import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { JPG } from "image-size/types/jpg"
import { PNG } from "image-size/types/png"
import { WEBP } from "image-size/types/webp"

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

/** Reads the size of a PNG, JPEG or WebP image from the start of its file. None: the file is no such image. */
export const readSize = (file: string): Effect.Effect<Option.Option<Size>, PlatformError, FileSystem.FileSystem> =>
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
