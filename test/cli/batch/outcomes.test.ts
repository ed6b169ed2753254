import { describe, expect, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { lines } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"
import { decodableImages } from "../../support/decodableImages.js"

const refusal = "The service returned HTTP 422 while submitting the generation: No such style."

const failure = [
  "The generation RECORD ended with status NSFW: not that.",
  "Try another --seed, or rephrase the prompt."
].join("\n")

/** A batch of four rows, of which one is refused, one fails, and two are saved. */
const mixed = (...flags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { directory, emulator, file, run } = yield* batch
    const path = yield* file("p.txt", "a fox\nan owl\na hare\na heron\n")
    yield* emulator.inject(Fault.respond("submit", 422, { body: { detail: "No such style" } }))
    yield* emulator.inject(Fault.failGeneration("NSFW", "not that"))
    const stable = (text: string) =>
      text
        .replaceAll(directory, "DIR")
        .replace(/record-[0-9a-f]+/g, "RECORD")
        .replace(/p-[0-9a-f]{8}/g, "p-HASH")
    return Effect.map(run(path, "-c", "1", ...flags), ({ code, stderr }) => ({ code, stderr: stable(stderr) }))
  })

const ended = [`[1/4] row 1: ${refusal}`, `[2/4] row 2: ${failure}`, '[3/4] saved "a hare"', '[4/4] saved "a heron"']

const listed = [`Row 1, "a fox": ${refusal}`, `Row 2, "an owl": ${failure}`]

const first = "2 of 4 saved. Gallery: DIR/images/index.html"

const repeated = "2 of 4 saved: 0 generated now, 2 were there before. Gallery: DIR/images/index.html"

const text = (...lines: ReadonlyArray<string>) => `${lines.join("\n")}\n`

describe.concurrent("The outcomes of a batch", { timeout }, () => {
  it.scopedLive("are told row by row, and summed up", () =>
    Effect.gen(function* () {
      const run = yield* mixed()
      const retry = "To retry only these rows: effect-arta batch DIR/p.txt -o DIR/images --retry-failed"
      // Rows that fail in several ways have no exit code in common.
      expect(yield* run).toEqual({ code: 1, stderr: text(...ended, first, ...listed, retry) })
      expect(yield* run).toEqual({ code: 1, stderr: text(repeated, ...listed, retry) })
    }).pipe(onPort())
  )

  it.scopedLive("are told row by row from a database too", () =>
    Effect.gen(function* () {
      const run = yield* mixed("--database")
      const begun = (rows: string) => `Batch p-HASH: ${rows}. The database is sqlite:DIR/images/effect-arta.db.`
      const retry = "To get a file of the failed rows, run the same command again with --failures FILE."
      expect(yield* run).toEqual({ code: 1, stderr: text(begun("4 rows added"), ...ended, first, ...listed, retry) })
      const again = text(begun("The database has its rows already"), ...ended, repeated, ...listed, retry)
      expect(yield* run).toEqual({ code: 1, stderr: again })
    }).pipe(onPort())
  )

  it.scopedLive("are told of at most 20 rows that failed", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      const refuse = (detail: string) => emulator.inject(Fault.respond("submit", 422, { body: { detail } }))
      // Alike reasons in a row would end the batch.
      yield* Effect.forEach(
        Array.makeBy(22, (index) => (index % 2 === 0 ? "even" : "odd")),
        refuse
      )
      const path = yield* file("p.txt", Array.makeBy(22, (index) => `fox ${String(index)}`).join("\n"))
      const { code, stderr } = yield* run(path, "-c", "1")
      expect(code).toBe(4)
      expect(stderr.match(/^Row \d+, /gm)).toHaveLength(20)
      expect(lines(stderr).at(-2)).toBe("… and 2 more.")
    }).pipe(onPort())
  )

  it.scopedLive.each([{ flags: [] }, { flags: ["--database"] }])("name images that did not come: $flags", ({ flags }) =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      const response = [{ url: `data:image/png;base64,${Buffer.from(decodableImages.png).toString("base64")}` }]
      yield* emulator.inject(Fault.respond("status", 200, { body: { status: "DONE", response } }))
      const { code, stderr } = yield* run(yield* file("p.csv", "prompt,n\na fox,2\nan owl,1\n"), "-c", "1", ...flags)
      expect(code).toBe(6)
      expect(stderr).toMatch(/^2 of 2 saved\. Gallery: .*\nRow 1, "a fox": 1 of 2 images did not come\.\n$/m)
    }).pipe(onPort())
  )
})
