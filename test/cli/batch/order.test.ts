import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Schema } from "effect"
import { batch } from "../../support/batchWorld.js"
import { decodeLines } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const prompts = Array.makeBy(24, (index) => `animal ${String(index)}`)

const Submitting = Schema.Struct({
  _tag: Schema.String,
  request: Schema.optional(Schema.Struct({ prompt: Schema.String }))
})

describe("The order of a batch", { timeout }, () => {
  it.scopedLive("is that of the file in the submissions, the journal and the gallery", () =>
    Effect.gen(function* () {
      const { file, fs, images, run } = yield* batch
      yield* run(yield* file("p.txt", prompts.join("\n")), "-c", "8")
      const entries = yield* decodeLines(Submitting, yield* fs.readFileString(`${images}/effect-arta.jsonl`))
      expect(entries.flatMap(({ request }) => (request === undefined ? [] : [request.prompt]))).toEqual(prompts)
      const page = yield* fs.readFileString(`${images}/index.html`)
      expect(Array.dedupe(page.match(/animal \d+/g) ?? [])).toEqual(prompts)
    }).pipe(onPort())
  )

  it.scopedLive("is numeric for the images of one row", () =>
    Effect.gen(function* () {
      const { file, fs, images, run } = yield* batch
      const { stdout } = yield* run(yield* file("p.jsonl", '{"prompt":"a fox","n":12}'), "--no-limits")
      const page = yield* fs.readFileString(`${images}/index.html`)
      const numbersIn = (text: string) =>
        Array.dedupe(Array.fromIterable(text.matchAll(/a-fox-\d+-(\d+)\.png/g)).map(([, index]) => Number(index)))
      expect(numbersIn(stdout)).toEqual(Array.range(0, 11))
      expect(numbersIn(page)).toEqual(Array.range(0, 11))
    }).pipe(onPort())
  )
})
