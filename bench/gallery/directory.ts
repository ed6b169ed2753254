import { linkSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { draw } from "../../src/testing/emulator/drawImage.js"

const words = [
  "a lighthouse at dawn",
  "a fox in the snow",
  "an old harbour, golden hour, mist over the water",
  "灯台 🗼"
]
const models = ["Flux", "F Dev", "SDXL 1.0", "Watercolor"]
const distinctImages = 32

const lineOf = (entry: object): string => `${JSON.stringify(entry)}\n`

/** Writes a directory as a batch of `count` rows leaves it. Few of the images differ, which saves time and disk. */
export const writeDirectory = (directory: string, count: number): void => {
  mkdirSync(directory, { recursive: true })
  const journal = Array.from({ length: count }, (_, row) => {
    const name = `image-${String(row)}`
    const file = `${name}-0.png`
    const prompt = `${words[row % words.length] ?? ""} ${String(row)}`
    const model = models[row % models.length] ?? ""
    if (row < distinctImages) {
      writeFileSync(join(directory, file), draw({ prompt, model, seed: row, index: 0, aspectRatio: "1:1" }))
    } else linkSync(join(directory, `image-${String(row % distinctImages)}-0.png`), join(directory, file))
    const key = String(row)
    return [
      lineOf({ _tag: "Submitting", key, name, request: { prompt, model, seed: row } }),
      lineOf({ _tag: "Submitted", key, recordId: `record-${key}` }),
      lineOf({ _tag: "Saved", key, files: [file] })
    ].join("")
  })
  writeFileSync(join(directory, "effect-arta.jsonl"), journal.join(""))
}
