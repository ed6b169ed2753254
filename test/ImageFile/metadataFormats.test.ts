import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { decodableImages } from "../support/decodableImages.js"
import { parametersOf, partsOf, withJpegSegment, withWebpChunk, xmpOf } from "../support/imageParts.js"
import { exif, extendedWebp, latin1, withWebpSize } from "../support/metadataImages.js"
import { onDisk, save, saveWith } from "../support/saveImage.js"

const { jpeg, lossyWebp, png, transparentWebp } = decodableImages

const withExif = (data: Uint8Array) => withJpegSegment(jpeg, 0xe1, Buffer.concat([latin1("Exif\0\0"), data]))

describe("ImageFile.save with metadata", () => {
  const alpha = 0x10
  it.effect.each<readonly [string, Uint8Array, number, Uint8Array | undefined]>([
    ["a lossy WebP", lossyWebp, 0, undefined],
    ["a WebP with transparency", transparentWebp, alpha, undefined],
    [
      "a WebP with a color profile",
      withWebpChunk(extendedWebp, "ICCP", latin1("odd")).with(20, 0x20),
      0x20,
      latin1("odd")
    ]
  ])("declares in the header of %s what it contains", ([, image, flags, profile]) =>
    Effect.gen(function* () {
      const headerOf = (saved: Uint8Array) => Buffer.from(saved.subarray(0, 30)).toString("hex")
      const header = (saved: Uint8Array, added: number) => {
        const length = Buffer.alloc(4)
        length.writeUInt32LE(saved.length - 8)
        const head = Buffer.concat([
          latin1("RIFF"),
          length,
          latin1("WEBPVP8X\x0a\0\0\0"),
          Buffer.from([flags | added, 0, 0, 0])
        ])
        return `${head.toString("hex")}1700000f0000`
      }
      const [exif, xmp] = [0x08, 0x04]
      const full = yield* save(image)
      expect(headerOf(full)).toBe(header(full, exif | xmp))
      const unknown = yield* saveWith(image, { metadata: "full" })
      expect(headerOf(unknown)).toBe(header(unknown, xmp))
      expect(partsOf(full).filter(({ name }) => name === "VP8X")).toHaveLength(1)
      expect(partsOf(full).find(({ name }) => name === "ICCP")?.data).toEqual(profile)
    }).pipe(onDisk)
  )

  it.effect("writes the size of a large WebP into its header", () =>
    Effect.gen(function* () {
      const [header] = partsOf(yield* save(withWebpSize(3_000, 1_500)))
      expect(header?.data.subarray(4)).toEqual(Buffer.from("b70b00db0500", "hex"))
    }).pipe(onDisk)
  )

  it.effect.each<readonly [string, Uint8Array, ReadonlyArray<string>]>([
    ["after the header of a JPEG", jpeg, ["e0", "e1", "e1", "db", "db"]],
    [
      "after the EXIF of a JPEG",
      withJpegSegment(jpeg, 0xe1, Buffer.concat([latin1("Exif\0\0"), exif])),
      ["e0", "e1", "e1", "db", "db"]
    ],
    ["after the header of a PNG", png, ["IHDR", "iTXt", "iTXt", "IDAT", "IEND"]],
    ["after the pixels of a WebP", lossyWebp, ["VP8X", "VP8 ", "EXIF", "XMP "]]
  ])("writes it %s", ([, image, names]) =>
    Effect.gen(function* () {
      expect(
        partsOf(yield* save(image))
          .map(({ name }) => name)
          .slice(0, names.length)
      ).toEqual(names)
    }).pipe(onDisk)
  )

  it.effect("keeps a byte that fills the space between the segments of a JPEG", () =>
    Effect.gen(function* () {
      const filled = Buffer.concat([jpeg.subarray(0, 20), Buffer.from([0xff]), jpeg.subarray(20)])
      const saved = yield* save(jpeg)
      const at = saved.length - jpeg.length + 20
      const expected = Buffer.concat([saved.subarray(0, at), Buffer.from([0xff]), saved.subarray(at)])
      expect(Buffer.compare(yield* save(filled), expected)).toBe(0)
    }).pipe(onDisk)
  )

  it.effect.each<readonly [string, Uint8Array]>([
    ["a table", withJpegSegment(jpeg, 0xc4, latin1("0123456789"))],
    ["a reserved segment", withJpegSegment(jpeg, 0xc8, latin1("0123456789"))],
    ["the conditions of a coding", withJpegSegment(jpeg, 0xcc, latin1("0123456789"))],
    ["the data of another application", withJpegSegment(jpeg, 0xe5, latin1("JP\0\x01"))],
    ["EXIF of another application", withJpegSegment(jpeg, 0xe5, Buffer.concat([latin1("Exif\0\0"), exif]))]
  ])("reads the size of a JPEG that contains %s", ([, image]) =>
    Effect.gen(function* () {
      expect(parametersOf(yield* save(image))).toContain("Size: 24x16")
    }).pipe(onDisk)
  )

  it.effect("leaves several EXIF segments of a JPEG unchanged", () =>
    Effect.gen(function* () {
      const image = withJpegSegment(withExif(exif), 0xe1, Buffer.concat([latin1("Exif\0\0"), exif]))
      const saved = yield* save(image)
      expect(partsOf(saved)).toEqual(expect.arrayContaining([...partsOf(image)]))
      expect(partsOf(saved)).toHaveLength(partsOf(image).length + 1)
      expect(xmpOf(saved)).toContain("trainedAlgorithmicMedia")
    }).pipe(onDisk)
  )

  // fault: Download | Metadata for an image whose EXIF is damaged | that EXIF, and metadata beside it
  it.effect.each<readonly [string, (data: Uint8Array) => Uint8Array]>([
    ["a JPEG", withExif],
    ["a WebP", (data) => withWebpChunk(extendedWebp, "EXIF", data)]
  ])("keeps the damaged EXIF of %s", ([, withData]) =>
    Effect.gen(function* () {
      const cut = Array.from({ length: exif.length - 8 }, (_, length) => exif.subarray(0, length))
      for (const damaged of [...cut, exif.with(0, 0), exif.with(3, 0), exif.with(7, 0xff), exif.with(8, 0xff)]) {
        const image = withData(damaged)
        const saved = yield* save(image)
        expect(partsOf(saved)).toEqual(expect.arrayContaining(partsOf(image).filter(({ name }) => name !== "VP8X")))
        expect(xmpOf(saved)).toContain("trainedAlgorithmicMedia")
      }
    }).pipe(onDisk)
  )

  it.effect("shortens a prompt to what the EXIF of a JPEG leaves room for", () =>
    Effect.gen(function* () {
      const large = (length: number) => withExif(Buffer.concat([exif, Buffer.alloc(length, "x")]))
      const prompt = "a fox ".repeat(20_000)
      const saved = parametersOf(yield* save(large(20_000), { prompt, negativePrompt: "" }))
      expect(saved).toMatch(/^(a fox )+[^\n]*…\nSteps: 30, /)
      expect(saved?.length).toBeGreaterThan(12_000)
      const full = large(32_200)
      const kept = yield* save(full, { prompt })
      expect(partsOf(kept)).toEqual(expect.arrayContaining([...partsOf(full)]))
      expect(parametersOf(kept)).toBeUndefined()
    }).pipe(onDisk)
  )

  it.effect.each<readonly [string, string, string]>([
    ["10,000 code units", "x".repeat(10_000), "x".repeat(10_000)],
    ["one more", "x".repeat(10_001), `${"x".repeat(9_999)}…`],
    ["a character on the border", `${"x".repeat(9_998)}🗼x`, `${"x".repeat(9_998)}…`],
    ["characters of two code units", `${"🗼".repeat(5_000)}x`, `${"🗼".repeat(4_999)}…`]
  ])("shortens a description: %s", ([, prompt, written]) =>
    Effect.gen(function* () {
      expect(xmpOf(yield* save(png, { prompt }))).toContain(`"x-default">${written}</rdf:li>`)
    }).pipe(onDisk)
  )
})
