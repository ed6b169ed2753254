import { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { writeGalleryFromJournal } from "../../../src/cli/command/gallery/writeGallery.js"
import { dataOf } from "../../../src/cli/shared/page/page.js"
import { failing } from "../../support/failingDisk.js"
import { galleryOf, inDirectory, png } from "../../support/images.js"

/** The file name and size of every image, in order. */
const shown = (page: string) =>
  Array.from(
    page.matchAll(/<img src="([^"]*)" width="(\d+)" height="(\d+)"/g),
    ([, src = "", width = "", height = ""]) => `${decodeURIComponent(src)} ${width}x${height}`
  )

interface Contents {
  readonly requests: ReadonlyArray<{ readonly command?: string; readonly images: ReadonlyArray<unknown> }>
}

/** The data in a page. */
const contentsOf = (page: string) => JSON.parse(dataOf(page)) as Contents

const segment = (marker: number, body: ReadonlyArray<number>) => [0xff, marker, ...word(body.length + 2), ...body]
const word = (value: number) => [value >> 8, value & 0xff]
const ascii = (text: string) => Array.from(text, (character) => character.charCodeAt(0))

const jpeg = (width: number, height: number, ...before: ReadonlyArray<ReadonlyArray<number>>) =>
  Uint8Array.from([
    ...[0xff, 0xd8],
    ...segment(0xe0, ascii("JFIF\0\u0001\u0001\0\0\u0001\0\u0001\0\0")),
    ...before.flat(),
    ...segment(0xc0, [8, ...word(height), ...word(width), 1, 1, 0x11, 0]),
    ...[0xff, 0xd9]
  ])

/** The EXIF orientation of a camera turned by 90 degrees. */
const turned = segment(0xe1, [
  ...ascii("Exif\0\0MM\0*\0\0\0\b"),
  ...word(1),
  ...word(0x0112),
  ...word(3),
  ...[0, 0, 0, 1],
  ...word(6),
  ...[0, 0, 0, 0, 0, 0]
])

const colorProfile = segment(0xe2, new Array<number>(20_000).fill(1))

const webp = (width: number, height: number) =>
  Uint8Array.from([
    ...ascii("RIFF\u0016\0\0\0WEBPVP8X\n\0\0\0\0\0\0\0"),
    ...[(width - 1) & 0xff, (width - 1) >> 8, 0],
    ...[(height - 1) & 0xff, (height - 1) >> 8, 0]
  ])

const oldPage = '<meta name="generator" content="effect-arta" /> the old page'

describe("The gallery of a directory", () => {
  it.effect("lists the requests of the journal in its order, their images by number, then the others by name", () =>
    inDirectory(
      {
        "other-10.png": png(8, 4),
        "other-9.png": png(4, 8),
        "last-0.png": png(3, 3),
        "zoo-10.png": png(5, 10),
        "zoo-2.png": png(5, 2),
        "zoo-0.png": png(5, 1),
        "zoo-new-0.png": png(9, 9),
        ".hidden.png": png(1, 1),
        "notes.txt": "Not an image."
      },
      ({ directory, fs, warnings }) =>
        Effect.gen(function* () {
          yield* fs.makeDirectory(`${directory}/directory.png`)
          const page = yield* galleryOf(directory, {
            zoo: { prompt: "the first", n: 11 },
            gone: { prompt: "deleted since" },
            last: { prompt: "the last" }
          })
          expect(shown(page)).toEqual([
            ...["zoo-0.png 5x1", "zoo-2.png 5x2", "zoo-10.png 5x10", "last-0.png 3x3"],
            ...["other-9.png 4x8", "other-10.png 8x4", "zoo-new-0.png 9x9"]
          ])
          expect(page).toContain(">7 images</p>")
          expect(page).not.toContain("deleted since")
          expect(contentsOf(page).requests.map(({ images }) => images.length)).toEqual([3, 1, 1, 1, 1])
          expect(warnings).toEqual([])
        })
    )
  )

  it.effect("knows what was requested, and the command that generates it again", () =>
    inDirectory({ "fox-0.png": png(2, 2), "owl-0.png": png(2, 2) }, ({ directory }) =>
      Effect.gen(function* () {
        const page = yield* galleryOf(directory, {
          fox: { prompt: "it's a $(fox)", model: "SDXL 1.0", seed: 7, n: 9, negativePrompt: "" },
          owl: { prompt: "an owl", seed: 8, key: "emulated-owl" }
        })
        const [fox, owl] = contentsOf(page).requests
        expect(fox).toMatchObject({ model: "SDXL 1.0", seed: 7, negative: "", steps: 30, guidance: 7, aspect: "1:1" })
        expect(fox?.command).toBe(
          `effect-arta generate "it's a \\$(fox)" -m 'SDXL 1.0' -n 9 --negative '' --seed 7 --no-limits`
        )
        expect(fox).not.toHaveProperty("emulated")
        expect(owl).toMatchObject({ emulated: true, command: "effect-arta generate 'an owl' --seed 8 --emulator" })
      })
    )
  )

  it.effect.each([
    { n: 8, numInferenceSteps: 100, flags: "-n 8 --steps 100 --seed 1" },
    { n: 9, numInferenceSteps: 30, flags: "-n 9 --seed 1 --no-limits" },
    { n: 1, numInferenceSteps: 101, flags: "--steps 101 --seed 1 --no-limits" }
  ])("lifts the limits in the command only if it exceeds them: $flags", ({ flags, ...request }) =>
    inDirectory({ "a-0.png": png(1, 1) }, ({ directory }) =>
      Effect.gen(function* () {
        const [first] = contentsOf(yield* galleryOf(directory, { a: { prompt: "fox", ...request } })).requests
        expect(first?.command).toBe(`effect-arta generate fox ${flags}`)
      })
    )
  )

  it.effect("leaves out requests without images, and files that are no images", () =>
    inDirectory(
      { "a-0.png": png(1, 1), "a-1.png.bak": png(1, 1), ".hidden.png": png(1, 1), "b.PNG": png(2, 2) },
      ({ directory }) =>
        Effect.gen(function* () {
          const request = { prompt: "a", model: "Flux" }
          const { requests } = contentsOf(yield* galleryOf(directory, { a: request, gone: request }))
          expect(requests).toMatchObject([
            { id: "a", images: [{ file: "a-0.png" }] },
            { id: "/b.PNG", images: [{ file: "b.PNG" }] }
          ])
        })
    )
  )

  it.effect("opens only new and changed images when it is written again", () =>
    inDirectory({ "a.png": png(1, 1), "b.png": png(2, 2) }, ({ directory, fs }) =>
      Effect.gen(function* () {
        yield* writeGalleryFromJournal(directory)
        yield* fs.writeFile(`${directory}/b.png`, png(20, 20))
        yield* fs.writeFile(`${directory}/c.png`, png(3, 3))
        yield* fs.remove(`${directory}/a.png`)
        yield* fs.writeFile(`${directory}/d.png`, png(4, 4))
        yield* writeGalleryFromJournal(directory)
        // An unchanged date hides that this is no image any more.
        const { mtime } = yield* fs.stat(`${directory}/c.png`)
        yield* fs.writeFile(`${directory}/c.png`, png(3, 3).fill(0))
        yield* fs.utimes(`${directory}/c.png`, Option.getOrThrow(mtime), Option.getOrThrow(mtime))
        yield* fs.writeFile(`${directory}/d.png`, png(40, 40))
        const file = yield* writeGalleryFromJournal(directory)
        expect(shown(yield* fs.readFileString(file))).toEqual(["b.png 20x20", "c.png 3x3", "d.png 40x40"])
      })
    )
  )

  it.effect("has the size of every kind of image as a browser shows it", () =>
    inDirectory(
      {
        "a.PNG": png(7, 9),
        "b.jpg": jpeg(640, 480),
        "c.jpeg": jpeg(640, 480, turned),
        "d.jpg": jpeg(640, 480, colorProfile),
        "e.webp": webp(1024, 300)
      },
      ({ directory }) =>
        Effect.gen(function* () {
          const page = yield* galleryOf(directory)
          expect(shown(page)).toEqual([
            "a.PNG 7x9",
            "b.jpg 640x480",
            "c.jpeg 480x640",
            "d.jpg 640x480",
            "e.webp 1024x300"
          ])
          expect(page).toContain("1024 × 300")
        })
    )
  )

  it.effect("leaves out unreadable images with a warning", () =>
    inDirectory(
      {
        "cut.png": png(8, 8).subarray(0, 18),
        "empty.png": "",
        "flat.png": png(8, 8).fill(0, 16, 20),
        "good.png": png(8, 8),
        "page.png": "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'></svg>"
      },
      ({ directory, fs, warnings }) =>
        Effect.gen(function* () {
          yield* fs.symlink(`${directory}/nowhere`, `${directory}/lost.png`)
          expect(shown(yield* galleryOf(directory))).toEqual(["good.png 8x8"])
          const names = ["cut.png", "empty.png", "flat.png", "lost.png", "page.png"]
          expect(Array.from(warnings).sort()).toEqual(
            names.map((name) => expect.stringContaining(`WARN "${name}" is not in the gallery: `) as string)
          )
        })
    )
  )

  it.effect("reads only the start of an image", () =>
    inDirectory({ "a.png": png(100, 200) }, ({ directory, fs }) =>
      Effect.gen(function* () {
        // No program can read a file of this size at once.
        yield* fs.truncate(`${directory}/a.png`, FileSystem.GiB(3))
        const file = yield* writeGalleryFromJournal(directory)
        expect(shown(yield* fs.readFileString(file))).toEqual(["a.png 100x200"])
      })
    )
  )

  it.effect("says that there are no images", () =>
    inDirectory({ "notes.txt": "Not an image." }, ({ directory }) =>
      Effect.gen(function* () {
        const page = yield* galleryOf(directory)
        expect(page).toContain("There are no images in this directory yet.")
        expect(shown(page)).toEqual([])
      })
    )
  )

  it.effect("does not replace a page of another program", () =>
    inDirectory({ "index.html": "<p>mine</p>", "a.png": png(2, 2) }, ({ directory, fs }) =>
      Effect.gen(function* () {
        const { message } = yield* Effect.flip(writeGalleryFromJournal(directory))
        expect(message).toBe(
          `${directory}/index.html is not a gallery of effect-arta. Move it away, then run the command again.`
        )
        expect(yield* fs.readFileString(`${directory}/index.html`)).toBe("<p>mine</p>")
      })
    )
  )

  it.effect("fails if the directory is missing", () =>
    inDirectory({}, ({ directory }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(writeGalleryFromJournal(`${directory}/nowhere`))
        expect(error).toMatchObject({ _tag: "SystemError", reason: "NotFound" })
      })
    )
  )

  it.effect.each(["open", "write", "rename"] as const)("keeps the old page intact if its %s fails", (step) =>
    inDirectory({ "index.html": oldPage, "a.png": png(2, 2) }, ({ directory, fs }) =>
      Effect.gen(function* () {
        const disk = failing(fs, { on: [step], failure: "no space left", suffix: step === "rename" ? "" : ".tmp" })
        const written = writeGalleryFromJournal(directory)
        yield* Effect.flip(Effect.provideService(written, FileSystem.FileSystem, disk))
        expect(yield* fs.readFileString(`${directory}/index.html`)).toBe(oldPage)
        expect((yield* fs.readDirectory(directory)).sort()).toEqual(["a.png", "index.html"])
      })
    )
  )

  it.effect("replaces the old page and leaves no other file", () =>
    inDirectory({ "index.html": oldPage, "a.png": png(2, 2) }, ({ directory, fs }) =>
      Effect.gen(function* () {
        expect(yield* writeGalleryFromJournal(directory)).toBe(`${directory}/index.html`)
        expect(shown(yield* fs.readFileString(`${directory}/index.html`))).toEqual(["a.png 2x2"])
        expect((yield* fs.readDirectory(directory)).sort()).toEqual(["a.png", "index.html"])
      })
    )
  )
})
