import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { BatchRow, ImageSink } from "effect-arta/batch"
import { Generation } from "effect-arta"
import { Fault } from "effect-arta/testing"
import { Line } from "../../../src/cli/shared/jsonOutput.js"
import { batch } from "../../support/batchWorld.js"
import { decodeLines, lines } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const prompts = "a fox\nan owl\na hare\n"

const recordId = Generation.RecordId.make("record-1")

const encode = Schema.encodeSync(Schema.parseJson(BatchRow.RowOutcome))

const outcomes = {
  cancelled: encode({ _tag: "Cancelled" }),
  failed: encode({
    _tag: "Failed",
    error: new ImageSink.SinkError({ location: "/there", reason: "the disk is full", recordId }),
    recordId
  })
}

/** A batch of three rows, none of which is saved: the first one is unknown. */
const endedElsewhere = Effect.gen(function* () {
  const { directory, edit, emulator, file, run } = yield* batch
  const path = yield* file("p.txt", prompts)
  yield* emulator.inject(Fault.drop("submit", { handled: true }))
  yield* run(path, "--database", "-c", "1")
  yield* edit((prefix) =>
    Object.entries(outcomes).map(
      ([state, outcome], index) =>
        `UPDATE ${prefix}rows SET state = '${state}', outcome = '${outcome}' WHERE row = ${String(index + 2)}`
    )
  )
  const again = (...flags: ReadonlyArray<string>) =>
    Effect.map(run(path, "--database", ...flags), ({ code, stderr, stdout }) => ({
      code,
      stdout,
      stderr: lines(stderr.replaceAll(directory, "DIR").replace(/p-[0-9a-f]{8}/g, "p-HASH"))
    }))
  return { again, directory }
})

const cancelled = "The batch was cancelled before this row was submitted."
const unsaved =
  "Could not save the images of the generation record-1 to /there: the disk is full. " +
  "Correct that, then start the runner again: it resumes the generation."
const unsure = "The service may or may not have accepted this row, so it was not submitted again."

describe.concurrent("The outcomes of a batch in a database", { timeout }, () => {
  it.scopedLive("that other runners left are reported, with what to do next", () =>
    Effect.gen(function* () {
      const { again } = yield* endedElsewhere
      const { code, stderr, stdout } = yield* again()
      expect(code).toBe(1)
      expect(stdout).toBe("")
      expect(stderr.slice(1)).toEqual([
        `[1/3] row 1: ${unsure}`,
        `[2/3] row 2: ${cancelled}`,
        `[3/3] row 3: ${unsaved}`,
        "0 of 3 saved. Gallery: DIR/images/index.html",
        `Row 1, "a fox": ${unsure}`,
        `Row 2, "an owl": ${cancelled}`,
        `Row 3, "a hare": ${unsaved}`,
        "The service accepted these rows. To get their images if they are there:",
        "effect-arta watch record-1 -o DIR/images",
        "To submit the unknown rows again, which may be paid twice: effect-arta retry p-HASH --unknown --database sqlite\\:DIR/images/effect-arta.db",
        "To get a file of the failed rows, run the same command again with --failures FILE."
      ])
    }).pipe(onPort())
  )

  it.scopedLive("that other runners left are lines of JSON too", () =>
    Effect.gen(function* () {
      const { again, directory } = yield* endedElsewhere
      const { code, stderr, stdout } = yield* again("--json", "--failures", `${directory}/failed.jsonl`)
      expect(code).toBe(1)
      expect(yield* decodeLines(Line, stdout)).toEqual([
        { _tag: "Failed", error: "SubmissionUnknownError", message: unsure, row: 1 },
        { _tag: "Failed", error: "Cancelled", message: cancelled, row: 2 },
        { _tag: "Failed", error: "SinkError", message: unsaved, recordId, row: 3 }
      ])
      // A row that was cancelled has not failed, and the two others may be paid for.
      expect(stderr).toContain("0 rows to run again in DIR/failed.jsonl")
      expect(stderr).toContain("It leaves out 2 rows that may be paid for already.")
      expect(stderr.join("\n")).not.toContain("--failures FILE")
    }).pipe(onPort())
  )

  it.scopedLive("are not printed with --quiet, except what failed and the paths of the images", () =>
    Effect.gen(function* () {
      const { directory, emulator, file, images, run } = yield* batch
      yield* emulator.inject(Fault.failGeneration("NSFW", "not that"))
      const path = yield* file("p.txt", prompts)
      const flags = ["-c", "1", "--quiet", "--failures", `${directory}/failed.jsonl`]
      const { code, stderr, stdout } = yield* run(path, "--database", ...flags)
      expect(code).toBe(6)
      expect(lines(stdout)).toEqual([
        expect.stringContaining(`${images}/an-owl-`),
        expect.stringContaining(`${images}/a-hare-`)
      ])
      expect(lines(stderr)).toEqual([
        expect.stringMatching(/^Row 1, "a fox": The generation .* NSFW: not that\.$/),
        "Try another --seed, or rephrase the prompt."
      ])
    }).pipe(onPort())
  )

  it.scopedLive("are lines of JSON with --json, for each image of a row", () =>
    Effect.gen(function* () {
      const { file, run } = yield* batch
      const path = yield* file("p.csv", "prompt,n\na fox,2\nan owl,1\n")
      const { code, stderr, stdout } = yield* run(path, "--database", "-c", "1", "--json")
      expect(code, stderr).toBe(0)
      expect(lines(stderr)).toEqual([expect.stringMatching(/^2 of 2 saved\. /)])
      const printed = yield* decodeLines(Line, stdout)
      expect(printed.map((line) => [line._tag, line.row])).toEqual([
        ["Saved", 1],
        ["Saved", 1],
        ["Saved", 2]
      ])
      expect(printed[1]).toMatchObject({ path: expect.stringMatching(/\/a-fox-\d+-1\.png$/) as string })
    }).pipe(onPort())
  )

  it.scopedLive("name no command that needs the service if only the emulator in memory had the rows", () =>
    Effect.gen(function* () {
      const { file, run } = yield* batch
      const path = yield* file("p.txt", "a fox\n")
      const { code, stderr } = yield* run(path, "--database", "--emulator", "--timeout", "1")
      expect(code).toBe(7)
      expect(stderr).not.toContain("effect-arta watch")
    }).pipe(onPort())
  )
})
