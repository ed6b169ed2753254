import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Fault } from "effect-arta/testing"
import { Line } from "../../../src/cli/shared/jsonOutput.js"
import { batch } from "../../support/batchWorld.js"
import { decodeLines, lines, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const Submitting = Schema.Struct({
  _tag: Schema.String,
  request: Schema.optional(Schema.Struct({ prompt: Schema.String, seed: Schema.Int }))
})

describe.concurrent("A batch run again", { timeout }, () => {
  it.scopedLive("says which rows were there before, and prints their paths", () =>
    Effect.gen(function* () {
      const { file, run, saved } = yield* batch
      const first = yield* run(yield* file("p.txt", "a fox\n"))
      const longer = yield* file("p.txt", "a fox\nan owl\n")
      const second = yield* run(longer)
      expect(second.stderr).toMatch(/^2 of 2 saved: 1 generated now, 1 was there before\. Gallery: /m)
      expect(lines(second.stdout)).toHaveLength(2)
      expect(lines(second.stdout)[0]).toBe(lines(first.stdout)[0])
      const third = yield* decodeLines(Line, (yield* run(longer, "--json")).stdout)
      expect(third.map((line) => [line._tag, line.row])).toEqual([
        ["Saved", 1],
        ["Saved", 2]
      ])
      expect(yield* saved).toHaveLength(2)
    }).pipe(onPort())
  )

  it.scopedLive("generates every row once more with --again, with new seeds, and keeps the earlier images", () =>
    Effect.gen(function* () {
      const { emulator, file, fs, images, run, saved } = yield* batch
      const path = yield* file("p.jsonl", '{"prompt":"a fox","seed":7}\n{"prompt":"an owl"}\n')
      yield* run(path)
      const again = yield* run(path, "--again")
      expect(again.stderr).toMatch(/^2 of 2 saved\. /m)
      expect((yield* emulator.counts).submit).toBe(4)
      expect(yield* saved).toHaveLength(4)
      const entries = yield* decodeLines(Submitting, yield* fs.readFileString(`${images}/effect-arta.jsonl`))
      const seeds = entries.flatMap(({ request }) => (request === undefined ? [] : [request.seed]))
      expect(new Set(seeds).size).toBe(4)
      const page = yield* fs.readFileString(`${images}/index.html`)
      for (const name of yield* saved) expect(page).toContain(name)

      // Without --again, there is nothing left to do.
      expect((yield* run(path)).stderr).toMatch(/^2 of 2 saved: 0 generated now, 2 were there before\./m)
      expect((yield* emulator.counts).submit).toBe(4)
      expect((yield* run(path, "--again")).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(6)
    }).pipe(onPort())
  )

  // fault: Process | A batch with `--again` is interrupted and repeated | It generates only the rows that are left
  it.scopedLive("pays for no row twice if a run with --again is interrupted and repeated", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run, saved } = yield* batch
      const path = yield* file("p.txt", "a fox\nan owl\na hare\na bee\n")
      yield* run(path)
      const interrupted = yield* started(["batch", path, "-o", images, "-c", "1", "--again"], { env })
      yield* interrupted.wrote(/\[2\/4\] saved/)
      yield* interrupted.interrupt
      expect((yield* interrupted.ended).code).toBe(130)
      const repeated = yield* run(path, "--again")
      expect(repeated.code).toBe(0)
      expect(repeated.stderr).toMatch(/^Resuming the last run with --again/m)
      expect((yield* emulator.counts).submit).toBe(8)
      expect(yield* saved).toHaveLength(8)
    }).pipe(onPort())
  )

  it.scopedLive("starts no new round while the outcome of a row is unknown", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      const path = yield* file("p.txt", "a fox\nan owl\n")
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      expect((yield* run(path, "-c", "1", "--again")).code).toBe(5)
      expect((yield* run(path, "--again")).code).toBe(5)
      expect((yield* emulator.counts).submit).toBe(2)
      expect((yield* run(path, "--retry-failed")).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(3)
    }).pipe(onPort())
  )

  it.scopedLive("refuses --again with --retry-failed", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      const { code, stderr } = yield* run(yield* file("p.txt", "a fox\n"), "--again", "--retry-failed")
      expect(code).toBe(2)
      expect(stderr).toMatch(/Choose one/)
      expect(yield* emulator.requests).toEqual([])
    }).pipe(onPort())
  )
})
