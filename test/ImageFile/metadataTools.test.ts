import { FileSystem } from "@effect/platform"
import { Effect, Schema } from "effect"
import { execFileSync, spawnSync } from "node:child_process"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Browser } from "playwright-core"
import { isSkipped as isBrowserSkipped, launch, whySkipped } from "../support/chromium.js"
import { decodableImages } from "../support/decodableImages.js"
import { onDisk, save } from "../support/saveImage.js"
import { xmpOf } from "../support/imageParts.js"

const { jpeg, lossyWebp } = decodableImages
const formats = Object.entries(decodableImages)

const isMissing = spawnSync("exiftool", ["-ver"]).error !== undefined

// In CI, the tests fail without exiftool instead of being skipped.
const isSkipped = isMissing && process.env["CI"] === undefined

const Tags = Schema.parseJson(Schema.Tuple(Schema.Record({ key: Schema.String, value: Schema.Unknown })))

/** What exiftool reads from an image, and what it finds wrong with it. */
const exiftool = (bytes: Uint8Array, ...options: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.makeTempFileScoped()
    yield* fs.writeFile(file, bytes)
    const [tags] = yield* Schema.decode(Tags)(
      execFileSync("exiftool", ["-json", "-G1", "-a", "-validate", "-warning", "-error", ...options, file], {
        encoding: "utf8"
      })
    )
    return tags
  }).pipe(Effect.scoped)

/** Changes an image with exiftool. */
const changed = (bytes: Uint8Array, ...options: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.makeTempFileScoped()
    yield* fs.writeFile(file, bytes)
    execFileSync("exiftool", ["-q", "-overwrite_original", ...options, file])
    return new Uint8Array(yield* fs.readFile(file))
  }).pipe(Effect.scoped)

const run = <A, E>(effect: Effect.Effect<A, E, Effect.Effect.Context<ReturnType<typeof save>>>) =>
  Effect.runPromise(onDisk(effect))

const text = [
  "灯台 🗼",
  "Negative prompt: a 'b' & <c>",
  "Steps: 30, CFG scale: 7, Seed: 7, Size: 24x16, Model: Flux"
].join("\n")

const own = ["-EXIF:Make=Canon", "-EXIF:ExposureTime=1/60", "-GPSLatitude=48.5"]

describe.skipIf(isSkipped)(
  isSkipped ? "exiftool (skipped: it is not installed)" : "exiftool",
  { timeout: 60_000 },
  () => {
    const textTag = (format: string) => (format === "png" ? "PNG:Parameters" : "ExifIFD:UserComment")

    it.each(formats)("reads the request from a saved %s, and that a model generated it", (format, image) =>
      Effect.gen(function* () {
        const tags = yield* exiftool(yield* save(image), "-XMP:all", "-Parameters", "-UserComment")
        expect(tags).toMatchObject({
          [textTag(format)]: text,
          "XMP-dc:Description": "灯台 🗼",
          "XMP-iptcExt:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
        })
        expect(tags).not.toHaveProperty("ExifTool:Error")
        // JPEG: EXIF asks for tags that only a camera knows.
        if (!/jpeg/i.test(format)) expect(tags["ExifTool:Validate"]).toBe("OK")
      }).pipe(run)
    )

    it.each(
      Object.entries({ jpeg, lossyWebp }).flatMap(([format, image]) =>
        ["II", "MM"].map((order) => [format, order, image] as const)
      )
    )("still reads what a camera wrote into a %s in the byte order %s", (_, order, image) =>
      Effect.gen(function* () {
        const camera = yield* changed(image, `-ExifByteOrder=${order}`, ...own)
        const before = yield* exiftool(camera, "-EXIF:all")
        expect(before).toMatchObject({ "IFD0:Make": "Canon", "ExifIFD:ExposureTime": "1/60" })
        const after = yield* exiftool(yield* save(camera), "-EXIF:all")
        const { "ExifIFD:UserComment": comment, ...rest } = after
        expect({ ...rest, SourceFile: "" }).toEqual({ ...before, SourceFile: "" })
        expect(comment).toBe(text)
      }).pipe(run)
    )
  }
)

describe.skipIf(isBrowserSkipped)(
  isBrowserSkipped ? `Chromium (${whySkipped})` : "Chromium",
  { timeout: 60_000 },
  () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await launch()
    })
    afterAll(() => browser.close())

    /** The pixels of an image, and how a parser of XML reads a packet. */
    const look = async (bytes: Uint8Array, xmp: string) => {
      const page = await browser.newPage()
      const seen = await page.evaluate(
        async ([base64, packet]) => {
          const image = new Image()
          image.src = `data:;base64,${base64}`
          await image.decode()
          const canvas = document.createElement("canvas")
          canvas.width = image.naturalWidth
          canvas.height = image.naturalHeight
          const context = canvas.getContext("2d")
          context?.drawImage(image, 0, 0)
          const xml = new DOMParser().parseFromString(packet, "application/xml")
          return {
            pixels: Array.from(context?.getImageData(0, 0, canvas.width, canvas.height).data ?? []),
            text: xml.querySelector("parsererror")?.textContent ?? xml.documentElement.textContent
          }
        },
        [Buffer.from(bytes).toString("base64"), xmp] as const
      )
      await page.close()
      return seen
    }

    it.each(formats)("sees the same pixels in a saved %s, and well-formed XMP", async (_, image) => {
      const prompt = `灯台 🗼 </x:xmpmeta> & "<" ]]> \0\x1b\ud83d`
      const saved = await run(save(image, { prompt }))
      const [before, after] = [await look(image, "<none/>"), await look(saved, xmpOf(saved) ?? "")]
      expect(before.pixels).toHaveLength(24 * 16 * 4)
      expect(after.pixels).toEqual(before.pixels)
      expect(after.text).toContain(`灯台 🗼 </x:xmpmeta> & "<" ]]> \ufffd\ufffd\ufffd`)
    })
  }
)
