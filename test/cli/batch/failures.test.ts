import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { command } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const rows = [
  { prompt: "a bee" },
  { prompt: 'a "fox", sleeping', negative: "", steps: 9 },
  { prompt: "an owl\nin two lines", aspect: "16:9", seed: 7 },
  { prompt: "a hare" }
]

describe.concurrent("The file of --failures", { timeout }, () => {
  it.scopedLive.each(["failed.jsonl", "failed.csv"])("has the rows to run again, as %s", (name) =>
    Effect.gen(function* () {
      const { directory, emulator, env, file, run, saved } = yield* batch
      const path = yield* file("p.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"))
      // The first row may have been accepted, the next two fail.
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      yield* Effect.forEach(["FAILED", "FAILED", "NSFW"], (status) => emulator.inject(Fault.failGeneration(status)))
      const failures = `${directory}/${name}`
      const first = yield* run(path, "-c", "1", "--failures", failures)
      expect(yield* emulator.counts).toMatchObject({ submit: 4 })
      expect(first.stderr).toMatch(/^1 row may be paid for already and are not in/m)
      const [, again = ""] = /^\d+ rows? to run again in .*: effect-arta (.*)$/m.exec(first.stderr) ?? []

      const second = yield* command(again.split(" "), { env })
      expect(second.code, second.stderr).toBe(0)
      expect((yield* emulator.counts).submit).toBe(6)
      // The rows keep their identity, so the file that they are from knows their images.
      const third = yield* run(path, "--failures", failures)
      expect(third.stderr).toMatch(/^3 of 4 saved: 0 generated now, 3 were there before/m)
      expect(third.stderr).toMatch(/^0 rows to run again in /m)
      expect((yield* emulator.counts).submit).toBe(6)
      expect(yield* saved).toHaveLength(3)
    }).pipe(onPort())
  )

  it.scopedLive("runs the one of equal rows that failed", () =>
    Effect.gen(function* () {
      const { directory, emulator, file, run, saved } = yield* batch
      yield* run(yield* file("p.txt", "a fox\n"))
      const path = yield* file("p.txt", "a fox\na fox\na fox\n")
      yield* emulator.inject(Fault.failGeneration("NSFW"))
      const failures = `${directory}/failed.jsonl`
      yield* run(path, "--failures", failures)
      expect((yield* run(failures, "--retry-failed")).stderr).toMatch(/^1 of 1 saved\./m)
      expect((yield* emulator.counts).submit).toBe(4)
      expect((yield* run(path)).stderr).toMatch(/^3 of 3 saved: 0 generated now/m)
      expect(yield* saved).toHaveLength(3)
    }).pipe(onPort())
  )

  it.scopedLive("is checked before anything is sent", () =>
    Effect.gen(function* () {
      const { directory, emulator, file, run } = yield* batch
      const path = yield* file("p.csv", "prompt\na fox\n")
      for (const [failures, says] of [
        [path, /would replace the prompt file/],
        [`${directory}/failed.txt`, /\.jsonl or \.csv/],
        [`${directory}/missing/failed.csv`, /does not exist/]
      ] as const) {
        const { code, stderr } = yield* run(path, "--failures", failures)
        expect(code).toBe(2)
        expect(stderr).toMatch(says)
      }
      expect(yield* emulator.requests).toEqual([])
    }).pipe(onPort())
  )
})
