import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { command, lines } from "../support/command.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"
import { parametersOf, xmpOf } from "../support/imageParts.js"

const settings = "Steps: 30, CFG scale: 7, Seed: 7, Size: 64x64, Model: Flux"
const text = `灯台 🗼\nNegative prompt: blurry, deformed hands, ugly\n${settings}`

describe.concurrent("effect-arta --metadata", { timeout }, () => {
  it.scopedLive(
    "full, which is the default, writes the request into what generate saves, and none writes nothing",
    () =>
      Effect.gen(function* () {
        const { directory, env, fs } = yield* setUp
        const saved = (...flags: ReadonlyArray<string>) =>
          Effect.gen(function* () {
            const args = ["generate", "灯台 🗼", "--seed", "7", "-o", yield* fs.makeTempDirectoryScoped({ directory })]
            const { stderr, stdout } = yield* command([...args, ...flags], { env })
            return { file: yield* fs.readFile(stdout.trim()), stderr }
          })
        const [plain, full, none] = yield* Effect.all([saved(), saved("--metadata", "full"), saved("--metadata=none")])
        expect(parametersOf(plain.file)).toBe(text)
        expect(xmpOf(plain.file)).toContain("trainedAlgorithmicMedia")
        expect(Buffer.compare(full.file, plain.file)).toBe(0)
        expect(parametersOf(none.file)).toBeUndefined()
        expect(xmpOf(none.file)).toBeUndefined()
        expect(plain.stderr).not.toContain("--metadata")
        expect(none.stderr).toContain("--seed 7 --metadata none")
      }).pipe(onPort())
  )

  it.scopedLive("writes the request of each row of a batch, and of a generation that watch finds in the journal", () =>
    Effect.gen(function* () {
      const { directory, env, fs, images } = yield* setUp
      const file = `${directory}/prompts.jsonl`
      yield* fs.writeFileString(file, '{"prompt":"a fox","seed":7,"steps":20}\n{"prompt":"an owl","seed":8}\n')
      yield* command(["batch", file, "-o", images], { env })
      const fox = parametersOf(yield* fs.readFile(`${images}/a-fox-7-0.png`))
      expect(fox).toMatch(/^a fox\n.*\nSteps: 20, CFG scale: 7, Seed: 7,/)
      expect(parametersOf(yield* fs.readFile(`${images}/an-owl-8-0.png`))).toMatch(/^an owl\n.*\nSteps: 30.* Seed: 8,/)

      const recordId = /"recordId":"([^"]+)"/.exec(yield* fs.readFileString(`${images}/effect-arta.jsonl`))?.[1] ?? ""
      yield* Effect.forEach(["a-fox-7-0.png", "an-owl-8-0.png"], (name) => fs.remove(`${images}/${name}`))
      const watched = yield* command(["watch", recordId, "-o", images], { env })
      expect(parametersOf(yield* fs.readFile(watched.stdout.trim()))).toMatch(/^(a fox|an owl)\n/)

      // Another directory does not know the request.
      const elsewhere = yield* command(["watch", recordId, "-o", `${directory}/elsewhere`], { env })
      const [path = ""] = lines(elsewhere.stdout)
      expect(parametersOf(yield* fs.readFile(path))).toBeUndefined()
      expect(xmpOf(yield* fs.readFile(path))).toContain("trainedAlgorithmicMedia")
    }).pipe(onPort())
  )
})
