import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodableImages } from "../support/decodableImages.js"
import { onDisk, save, saveWith } from "../support/saveImage.js"

// fault: Download | Metadata for an image with a changed byte | the image, unchanged or with all its parts
it.effect.each(Object.entries(decodableImages))(
  "ImageFile.save with metadata loses no %s with a changed byte",
  ([, image]) =>
    Effect.gen(function* () {
      for (let at = 12; at < image.length; at += Math.ceil(image.length / 100)) {
        for (const changed of [image.with(at, 0), image.with(at, 0xff)]) {
          const plain = yield* Effect.option(saveWith(changed, { metadata: "none" }))
          const saved = yield* Effect.option(save(changed))
          expect(saved._tag).toBe(plain._tag)
        }
      }
    }).pipe(onDisk),
  // Saves a thousand files.
  60_000
)
