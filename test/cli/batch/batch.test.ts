import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { Line } from "../../../src/cli/shared/jsonOutput.js"
import { batch, prompts } from "../../support/batchWorld.js"
import { command, decodeLines, lines } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

describe.concurrent("effect-arta batch", { timeout }, () => {
  it.scopedLive("generates a prompt per line, writes the gallery, and sends nothing when run again", () =>
    Effect.gen(function* () {
      const { emulator, file, fs, images, run, saved } = yield* batch
      const path = yield* file("prompts.txt", `${prompts.join("\n\n")}\n`)
      const first = yield* run(path)
      expect(first.code).toBe(0)
      expect(first.stderr).toMatch(/^\[4\/4\] saved /m)
      expect(first.stderr).toMatch(/^4 of 4 saved\. Gallery: .*index\.html$/m)
      const names = yield* saved
      expect([...lines(first.stdout)].sort()).toEqual(names.map((name) => `${images}/${name}`))
      expect(names).toHaveLength(4)
      const page = yield* fs.readFileString(`${images}/index.html`)
      for (const name of names) expect(page).toContain(name)
      const before = yield* emulator.requests

      const second = yield* run(path)
      expect(second.code).toBe(0)
      expect(yield* emulator.requests).toHaveLength(before.length)
      expect(yield* saved).toEqual(names)
    }).pipe(onPort())
  )

  it.scopedLive("reads CSV and JSON lines, with the names of the flags or of the library", () =>
    Effect.gen(function* () {
      const { file, run } = yield* batch
      const csv = yield* file(
        "r.csv",
        '\ufeffprompt,model,n,negative,aspect,steps,seed\n"an owl, at night",watercolor,2,fog,16:9,,7\na bee,,,,,20,\n,,,,,,\n'
      )
      const jsonl = yield* file("r.jsonl", '{"prompt":"a bat","numInferenceSteps":9,"aspectRatio":"9:16","seed":8}\n')
      const events = [
        ...(yield* decodeLines(Line, (yield* run(csv, "--json")).stdout)),
        ...(yield* decodeLines(Line, (yield* run(jsonl, "--json")).stdout))
      ]
      const requests = events.flatMap((event) => (event._tag === "Submitted" ? [event] : []))
      expect(requests).toHaveLength(3)
      const byPrompt = new Map(requests.map((event) => [event.request.prompt, event]))
      expect(byPrompt.get("an owl, at night")).toMatchObject({
        request: {
          model: "Watercolor",
          n: 2,
          negativePrompt: "fog",
          aspectRatio: "16:9",
          numInferenceSteps: 30,
          seed: 7
        },
        row: 1
      })
      expect(byPrompt.get("a bee")).toMatchObject({ request: { model: "Flux", n: 1, numInferenceSteps: 20 }, row: 2 })
      expect(byPrompt.get("a bat")).toMatchObject({
        request: { numInferenceSteps: 9, aspectRatio: "9:16", seed: 8 },
        row: 1
      })
      expect(events.filter(({ _tag }) => _tag === "Saved")).toHaveLength(4)
    }).pipe(onPort())
  )

  it.scopedLive("generates rows again that only the emulator in memory has generated", () =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      const path = yield* file("p.txt", "a fox\n")
      expect((yield* run(path, "--emulator")).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(0)
      expect((yield* run(path)).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(1)
      expect(yield* saved).toHaveLength(2)
    }).pipe(onPort())
  )

  it.scopedLive("lists failures, records them, and retries only those with --retry-failed", () =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      yield* emulator.inject(Fault.failGeneration("NSFW"))
      const path = yield* file("p.txt", "a fox\na hare\n")
      const first = yield* run(path, "-c", "1")
      expect(first.code).toBe(6)
      expect(first.stderr).toMatch(/^1 of 2 saved/m)
      expect(first.stderr).toMatch(/^Row 1, "a fox": .*NSFW/m)
      expect(yield* saved).toHaveLength(1)

      const second = yield* run(path)
      expect(second.code).toBe(6)
      expect(second.stderr).toMatch(/NSFW/)
      expect((yield* emulator.counts).submit).toBe(2)

      const longer = yield* file("p.txt", "a fox\na hare\nan owl\n")
      const third = yield* run(longer, "--retry-failed")
      expect(third.stdout).toMatch(/a-fox-\d+-0\.png\n$/)
      expect(third.stderr).toMatch(/^2 of 3 saved/m)
      expect((yield* emulator.counts).submit).toBe(3)
      expect(yield* saved).toHaveLength(2)
    }).pipe(onPort())
  )

  it.scopedLive("exits with the code of a failure from an earlier run", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      yield* emulator.inject(Fault.respond("submit", 422, { body: { detail: "No such style" } }))
      const path = yield* file("p.txt", "a fox\n")
      expect((yield* run(path)).code).toBe(4)
      const again = yield* run(path, "--json")
      expect(again.code).toBe(4)
      const [line] = yield* decodeLines(Line, again.stdout)
      expect(line).toMatchObject({ _tag: "Failed", error: "ResponseError", row: 1 })
      expect((yield* emulator.counts).submit).toBeLessThanOrEqual(1)
    }).pipe(onPort())
  )

  it.scopedLive("does not resubmit a row of unknown outcome without --retry-failed", () =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      const path = yield* file("p.txt", "a fox\n")
      expect((yield* run(path)).code).toBe(5)
      const again = yield* run(path)
      expect(again.code).toBe(5)
      expect(again.stderr).toMatch(/may or may not have accepted/)
      expect((yield* emulator.counts).submit).toBe(1)
      expect((yield* run(path, "--retry-failed")).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(2)
      expect(yield* saved).toHaveLength(1)
    }).pipe(onPort())
  )

  it.scopedLive("retries unaccepted rows and downloads missing images", () =>
    Effect.gen(function* () {
      const { emulator, env, file, fs, images, run, saved } = yield* batch
      const path = yield* file("p.txt", "a fox\n")
      const offline = { ...env, ARTA_API_URL: "http://127.0.0.1:9/api/v1" }
      const first = yield* command(["batch", path, "-o", images], { env: offline })
      expect(first.code).toBe(5)
      expect((yield* run(path)).code).toBe(0)
      const [name = ""] = yield* saved
      yield* fs.remove(`${images}/${name}`)
      expect((yield* run(path)).code).toBe(0)
      expect(yield* saved).toEqual([name])
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive("does not replace a foreign page, and still saves the images", () =>
    Effect.gen(function* () {
      const { file, fs, images, run, saved } = yield* batch
      yield* fs.makeDirectory(images)
      yield* fs.writeFileString(`${images}/index.html`, "<p>mine</p>")
      const { code, stderr } = yield* run(yield* file("p.txt", "a fox\n"))
      expect(code).toBe(0)
      expect(stderr).toMatch(/^1 of 1 saved\. No gallery: .*index\.html/m)
      expect(yield* fs.readFileString(`${images}/index.html`)).toBe("<p>mine</p>")
      expect(yield* saved).toHaveLength(1)
      const alone = yield* command(["gallery", images])
      expect(alone.code).toBe(3)
    }).pipe(onPort())
  )

  it.scopedLive("ignores an incomplete journal line and stops at a damaged one", () =>
    Effect.gen(function* () {
      const { emulator, file, fs, images, run, saved } = yield* batch
      const path = yield* file("p.txt", "a fox\n")
      yield* run(path)
      const journal = `${images}/effect-arta.jsonl`
      const text = yield* fs.readFileString(journal)
      yield* fs.writeFileString(journal, `${text}{"_tag":"Subm`)
      expect((yield* run(path)).code).toBe(0)
      for (const tag of ['"Subm"', '{"toString":null}']) {
        yield* fs.writeFileString(journal, text.replace('"Submitting"', tag))
        const damaged = yield* run(path)
        expect(damaged.code).toBe(3)
        expect(damaged.stderr).toMatch(/^Line 1 of effect-arta\.jsonl is damaged/m)
      }
      expect((yield* emulator.counts).submit).toBe(1)
      expect(yield* saved).toHaveLength(1)
    }).pipe(onPort())
  )

  it.scopedLive("saves to a directory only", () =>
    Effect.gen(function* () {
      const { env, file } = yield* batch
      const { code, stderr } = yield* command(["batch", yield* file("p.txt", "a fox\n"), "-o", "-"], { env })
      expect([code, stderr]).toEqual([2, "A batch saves to a directory: -o images\n"])
    }).pipe(onPort())
  )
})
