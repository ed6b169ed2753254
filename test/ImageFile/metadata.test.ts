import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { decode } from "fast-png"
import { decodableImages } from "../support/decodableImages.js"
import {
  imageDataOf,
  parametersOf,
  partsOf,
  withJpegSegment,
  withPngChunk,
  withWebpChunk,
  xmpOf
} from "../support/imageParts.js"
import { exif, exifWith, exposure, extendedWebp, latin1, xmpName } from "../support/metadataImages.js"
import { onDisk, request, save, saveWith } from "../support/saveImage.js"

const { jpeg: baselineJpeg, png } = decodableImages

const isSame = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0

const text = [
  "灯台 🗼",
  "Negative prompt: a 'b' & <c>",
  "Steps: 30, CFG scale: 7, Seed: 7, Size: 24x16, Model: Flux"
].join("\n")

describe("ImageFile.save with metadata", () => {
  it.effect.each(Object.entries(decodableImages))("writes the request into a %s, and keeps its pixels", ([, image]) =>
    Effect.gen(function* () {
      const saved = yield* save(image)
      expect(parametersOf(saved)).toBe(text)
      expect(xmpOf(saved)).toContain(
        "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia<"
      )
      expect(xmpOf(saved)).toContain('<rdf:li xml:lang="x-default">灯台 🗼</rdf:li>')
      expect(imageDataOf(saved)).toEqual(imageDataOf(image))
      expect(imageDataOf(image)).not.toEqual([])
    }).pipe(onDisk)
  )

  it.effect("keeps the pixels of a PNG as a decoder sees them", () =>
    Effect.gen(function* () {
      expect(decode(yield* save(png)).data).toEqual(decode(png).data)
    }).pipe(onDisk)
  )

  it.effect.each([{}, { metadata: "none" as const }])("writes nothing by default, nor with none: %j", (given) =>
    Effect.gen(function* () {
      for (const image of Object.values(decodableImages)) {
        expect(isSame(yield* saveWith(image, { request: request(), ...given }), image)).toBe(true)
      }
    }).pipe(onDisk)
  )

  it.effect("writes an XMP packet that XML parsers and readers of RDF accept", () =>
    Effect.gen(function* () {
      expect(xmpOf(yield* save(png, { prompt: "a fox & a <hen>" }))).toBe(
        [
          `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>`,
          `<x:xmpmeta xmlns:x="adobe:ns:meta/">`,
          `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">`,
          `<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"`,
          ` xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">`,
          `<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia`,
          `</Iptc4xmpExt:DigitalSourceType><dc:description><rdf:Alt><rdf:li xml:lang="x-default">a fox &amp; a &lt;hen&gt;`,
          `</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
        ].join("")
      )
    }).pipe(onDisk)
  )

  // fault: Download | Metadata of a generation whose request is unknown | only that a model generated the image
  it.effect.each(Object.entries(decodableImages))("writes only what is known into a %s", ([, image]) =>
    Effect.gen(function* () {
      const saved = yield* saveWith(image, { metadata: "full" })
      expect(parametersOf(saved)).toBeUndefined()
      expect(xmpOf(saved)).toContain("trainedAlgorithmicMedia")
      expect(xmpOf(saved)).not.toContain("description")
    }).pipe(onDisk)
  )

  it.effect(
    "writes Latin-1 into a PNG as the readers of the oldest chunk expect it, and no empty negative prompt",
    () =>
      Effect.gen(function* () {
        const saved = yield* save(png, { prompt: "un café\nà l'aube", negativePrompt: "", guidanceScale: 3.5 })
        expect(partsOf(saved).map(({ name }) => name)).toContain("tEXt")
        expect(parametersOf(saved)).toBe(
          "un café\nà l'aube\nSteps: 30, CFG scale: 3.5, Seed: 7, Size: 24x16, Model: Flux"
        )
      }).pipe(onDisk)
  )
})

const exifWithComment = exifWith("928600070000000c00000038", "ASCII\0\0\0mine")

describe("ImageFile.save with metadata keeps what the image has:", () => {
  const icc = latin1("ICC_PROFILE\0\x01\x01profile")

  it.effect.each<readonly [string, Uint8Array]>([
    ["a PNG", withPngChunk(withPngChunk(png, "iCCP", icc), "eXIf", exif)],
    ["a JPEG", withJpegSegment(withJpegSegment(baselineJpeg, 0xe2, icc), 0xfe, latin1("a comment"))],
    ["a WebP", withWebpChunk(withWebpChunk(extendedWebp, "ICCP", icc), "abcd", latin1("unknown"))]
  ])("the other parts of %s", ([, image]) =>
    Effect.gen(function* () {
      const saved = partsOf(yield* save(image)).filter(({ name }) => name !== "VP8X")
      expect(saved).toEqual(expect.arrayContaining(partsOf(image).filter(({ name }) => name !== "VP8X")))
      expect(parametersOf(yield* save(image))).toBe(text)
    }).pipe(onDisk)
  )

  it.effect.each<readonly [string, Uint8Array]>([
    ["a JPEG", withJpegSegment(baselineJpeg, 0xe1, Buffer.concat([latin1("Exif\0\0"), exif]))],
    ["a WebP", withWebpChunk(extendedWebp, "EXIF", exif)]
  ])("the EXIF of %s, with the request beside it", ([, image]) =>
    Effect.gen(function* () {
      const saved = yield* save(image)
      expect(parametersOf(saved)).toBe(text)
      // Values are found by their offset in the data, so they must not move.
      const data = Buffer.from(saved).toString("latin1")
      expect(data).toContain(exif.toString("latin1", 8))
      for (const entry of ["013b00020000000441646100", exposure]) {
        expect(data.split(Buffer.from(entry, "hex").toString("latin1"))).toHaveLength(3)
      }
    }).pipe(onDisk)
  )

  it.effect.each<readonly [string, Uint8Array]>([
    ["a JPEG", withJpegSegment(baselineJpeg, 0xe1, Buffer.concat([latin1("Exif\0\0"), exifWithComment]))],
    ["a WebP", withWebpChunk(extendedWebp, "EXIF", exifWithComment)],
    ["a PNG", withPngChunk(png, "tEXt", latin1("parameters\0mine"))]
  ])("the text of %s", ([, image]) =>
    Effect.gen(function* () {
      const saved = yield* save(image)
      expect(partsOf(saved)).toEqual(expect.arrayContaining(partsOf(image).filter(({ name }) => name !== "VP8X")))
      expect(parametersOf(saved)).toBe("mine")
      expect(xmpOf(saved)).toContain("trainedAlgorithmicMedia")
    }).pipe(onDisk)
  )

  it.effect.each<readonly [string, Uint8Array]>([
    ["a PNG", withPngChunk(png, "iTXt", latin1("XML:com.adobe.xmp\0\0\0\0\0<mine/>"))],
    ["a JPEG", withJpegSegment(baselineJpeg, 0xe1, latin1(`${xmpName}<mine/>`))],
    ["a WebP", withWebpChunk(extendedWebp, "XMP ", latin1("<mine/>"))]
  ])("the XMP packet of %s", ([, image]) =>
    Effect.gen(function* () {
      const saved = yield* save(image)
      expect(xmpOf(saved)).toBe("<mine/>")
      expect(Buffer.from(saved).toString("latin1").split("<mine/>")).toHaveLength(2)
      expect(parametersOf(saved)).toBe(text)
    }).pipe(onDisk)
  )
})

const unescaped = (xml: string) => xml.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")

const descriptionOf = (saved: Uint8Array) => {
  const [, description = "", ...more] = (xmpOf(saved) ?? "").split(/<rdf:li xml:lang="x-default">|<\/rdf:li>/)
  expect(more).toHaveLength(1)
  expect(description).not.toMatch(/[<>]/)
  return unescaped(description)
}

// fault: Download | Metadata of a prompt with markup, control characters or half a character, or of 100 kB | the image, with readable metadata
describe.each(Object.entries(decodableImages))("ImageFile.save with metadata in a %s", (format, image) => {
  it.effect.each<readonly [string, string, string]>([
    ["markup", `</x:xmpmeta><?xpacket end="w"?> ]]> &lt; 'x'`, `</x:xmpmeta><?xpacket end="w"?> ]]> &lt; 'x'`],
    ["control characters", "a\0b\x1b[31mc\x07\x85\x7f\td", "a\ufffdb\ufffd[31mc\ufffd\ufffd\ufffd\td"],
    ["half a character", "a\ud83d b\udc00", "a\ufffd b\ufffd"],
    ["noncharacters", "a\ufffe\uffffb", "a\ufffd\ufffdb"],
    ["line breaks of Windows", "one\r\ntwo\rthree", "one\ntwo\nthree"],
    ["text from right to left", "\u202eמגדלור", "\u202eמגדלור"]
  ])("writes %s", ([, prompt, written]) =>
    Effect.gen(function* () {
      const saved = yield* save(image, { prompt })
      expect(parametersOf(saved)?.split("\nNegative prompt: ")[0]).toBe(written)
      expect(descriptionOf(saved)).toBe(written)
      expect(imageDataOf(saved)).toEqual(imageDataOf(image))
    }).pipe(onDisk)
  )

  it.effect("keeps the settings of a prompt that imitates them apart", () =>
    Effect.gen(function* () {
      const saved = yield* save(image, { prompt: "a fox\n Negative prompt: dogs\nSteps: 1, Seed: 2, CFG scale: 3" })
      expect(parametersOf(saved)?.split("\n")).toEqual([
        "a fox  Negative prompt: dogs Steps: 1, Seed: 2, CFG scale: 3",
        "Negative prompt: a 'b' & <c>",
        "Steps: 30, CFG scale: 7, Seed: 7, Size: 24x16, Model: Flux"
      ])
    }).pipe(onDisk)
  )

  it.effect("writes a prompt of 100 kB, or what the format has room for, and all settings", () =>
    Effect.gen(function* () {
      const prompt = '灯🗼"'.repeat(25_000)
      const saved = yield* save(image, { prompt, negativePrompt: "'".repeat(50_000) })
      const [written = "", negative = "", settings] = parametersOf(saved)?.split("\n") ?? []
      expect(settings).toBe("Steps: 30, CFG scale: 7, Seed: 7, Size: 24x16, Model: Flux")
      expect(negative).toMatch(/^Negative prompt: '+…?$/)
      if (/jpeg/i.test(format)) {
        expect(written).toMatch(/^(灯🗼")+(灯|灯🗼)?…$/u)
        expect(written.length).toBeGreaterThan(20_000)
      } else {
        expect(written).toBe(prompt)
      }
      expect(descriptionOf(saved)).toMatch(/^(灯🗼")+(灯|灯🗼)?…$/u)
      expect(imageDataOf(saved)).toEqual(imageDataOf(image))
    }).pipe(onDisk)
  )
})
