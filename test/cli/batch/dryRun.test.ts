import { describe, expect, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { lines } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const defaults = 'guidance 7, random seed, avoiding "blurry, deformed hands, ugly"'

describe.concurrent("A dry run", { timeout }, () => {
  it.scopedLive("shows what a batch would send, at most ten rows", () =>
    Effect.gen(function* () {
      const { directory, emulator, file, fs, images, run } = yield* batch
      const rows = Array.makeBy(11, (index) => ({ prompt: `fox ${String(index)}` }))
      const path = yield* file("p.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"))
      const dryRun = Effect.map(run(path, "--dry-run"), ({ stdout }) => lines(stdout))
      expect(yield* dryRun).toEqual([
        `11 rows in ${directory}/p.jsonl.`,
        "To submit: 11 generations, 11 images: Flux (11).",
        "Already done: 0 rows. Submitted before, to be resumed: 0. Failed before: 0.",
        ...Array.makeBy(
          10,
          (index) => `Row ${String(index + 1)}: "fox ${String(index)}", Flux, 1 image, 1:1, 30 steps, ${defaults}`
        ),
        "… and 1 row more.",
        "This was a dry run: nothing was sent."
      ])
      expect(yield* fs.exists(images)).toBe(false)
      expect(yield* emulator.requests).toEqual([])
    }).pipe(onPort())
  )

  it.scopedLive("counts what an earlier run did", () =>
    Effect.gen(function* () {
      const { directory, emulator, file, run } = yield* batch
      const path = yield* file("p.csv", "prompt,n,seed,negative\na fox,1,7,\nan owl,2,,fog\na hare,1,,\na bee,1,,\n")
      yield* emulator.inject(Fault.failGeneration("NSFW"))
      yield* emulator.inject(Fault.respond("submit", 402))
      yield* run(path, "-c", "1")
      yield* emulator.inject(Fault.respond("status", 403))
      yield* run(yield* file("q.csv", "prompt,n\na heron,1\n"))
      const all = yield* file(
        "p.csv",
        "prompt,n,seed,negative\na fox,1,7,\nan owl,2,,fog\na hare,1,,\na bee,1,,\na heron,1,,\n"
      )
      expect(lines((yield* run(all, "--dry-run")).stdout)).toEqual([
        `5 rows in ${directory}/p.csv.`,
        "To submit: 1 generation, 1 image: Flux (1).",
        "Already done: 2 rows. Submitted before, to be resumed: 1. Failed before: 1.",
        expect.stringMatching(/^Row \d \(line \d\): /),
        "This was a dry run: nothing was sent."
      ])
      expect(lines((yield* run(all, "--dry-run", "--again")).stdout)[1]).toBe(
        "To submit: 5 generations, 6 images: Flux (5)."
      )
      const done = yield* file("r.csv", "prompt,n\na hare,1\n")
      const nothing = lines((yield* run(done, "--dry-run")).stdout)
      expect(nothing).toEqual([
        `1 row in ${directory}/r.csv.`,
        expect.stringMatching(/^To submit: 0 generations, 0 images\.$/),
        expect.stringMatching(/^Already done: 1 row\. /),
        "This was a dry run: nothing was sent."
      ])
    }).pipe(onPort())
  )
})
