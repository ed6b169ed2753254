import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { GenerateRequest, Generation, ImageFile } from "effect-arta"
import { mkdirSync, writeFileSync } from "node:fs"
import { keysOf } from "../../src/cli/command/batch/promptFile/rowKey.js"
import { keyPrefix } from "../../src/cli/shared/serviceKey.js"
import type { Entry } from "../../src/cli/shared/journalEntry.js"
import { fileName, toBytes } from "../../src/cli/shared/journalEntry.js"

const adjectives = ["old", "small", "red", "quiet", "broken", "tall", "far", "bright"]

/** Different prompts, with what people write around the subject. */
export const promptsOf = (from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from }, (_, index) => {
    const number = from + index
    const adjective = adjectives[number % adjectives.length] ?? ""
    return `a ${adjective} lighthouse at dawn, oil on canvas, wide angle, no people, number ${String(number)}`
  })

// A complete image of one pixel.
const image = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64"
)

const entriesOf = (key: string, prompt: string, seed: number): ReadonlyArray<Entry> => {
  const request = new GenerateRequest.GenerateRequest({ prompt, seed })
  const name = ImageFile.nameOf(request)
  const recordId = Generation.RecordId.make(`00000000-0000-4000-8000-${String(seed).padStart(12, "0")}`)
  return [
    { _tag: "Submitting", key, request, name },
    { _tag: "Submitted", key, recordId },
    { _tag: "Saved", key, files: [`${name}-0.png`] }
  ]
}

/** Writes a directory as a batch leaves it that has saved an image for each of these prompts. */
export const writeFinished = async (
  directory: string,
  prompts: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>>
): Promise<void> => {
  const prefix = await keyPrefix({ emulator: false }).pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(environment)))),
    Effect.runPromise
  )
  const keys = keysOf(prompts.map((prompt) => ({ prompt })))
  mkdirSync(directory, { recursive: true })
  const entries = prompts.flatMap((prompt, seed) => entriesOf(`${prefix}${keys[seed] ?? ""}`, prompt, seed))
  writeFileSync(`${directory}/${fileName}`, Buffer.concat(entries.map((entry) => toBytes(entry).bytes)))
  for (const entry of entries) {
    if (entry._tag === "Saved") for (const file of entry.files) writeFileSync(`${directory}/${file}`, image)
  }
  // A page that is not a gallery is kept, so that no gallery is measured here.
  writeFileSync(`${directory}/index.html`, "<p>Not a gallery</p>")
}
