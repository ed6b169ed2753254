import { describe, expect, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { Line } from "../../../src/cli/shared/jsonOutput.js"
import { batch } from "../../support/batchWorld.js"
import { command, decodeLines, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const prompts = Array.makeBy(12, (index) => `animal ${String(index)}`).join("\n")

const refuse = (status: number, detail: string) => Fault.respond("submit", status, { body: { detail } })

describe.concurrent("A batch whose submissions are refused", { timeout }, () => {
  // fault: Submit | Every row is refused for the same reason | The batch stops after three, says why once, and resumes later
  it.scopedLive.each([402, 403, 422])("stops after three identical refusals with HTTP %d", (status) =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      const path = yield* file("p.txt", prompts)
      yield* Effect.forEach([7, 8, 9], (n) =>
        emulator.inject(refuse(status, `Not enough credits, request ${String(n)}`))
      )
      const { code, stderr } = yield* run(path, "-c", "1")
      expect(code).toBe(4)
      expect(stderr.match(/Not enough credits/g)).toHaveLength(1)
      expect(stderr).toMatch(/^0 of 12 saved/m)
      expect(stderr).toMatch(/^The batch stopped, because 3 submissions in a row failed .*\. 9 rows were not sent\./m)
      expect((yield* emulator.counts).submit).toBe(3)

      // Nothing has failed: all rows are still to be generated.
      expect((yield* run(path)).code).toBe(0)
      expect(yield* saved).toHaveLength(12)
      expect((yield* emulator.counts).submit).toBe(15)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    { differ: "numbers", details: ["Request 9: no credits", "Request 10: no credits", "Request 12345: no credits"] },
    {
      differ: "ids",
      details: [
        "No credits (9f86d081884c7d65)",
        "No credits (a7c2f1b7-1d44-4c4e-8a53-aa01e2d0a3f6)",
        "No credits (beef0123)"
      ]
    },
    { differ: "prompts", details: [0, 1, 2].map((row) => `No credits for "animal ${String(row)}"`) }
  ])("stops after three refusals that differ only in their $differ", ({ details }) =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      // An accepted row comes first.
      expect((yield* run(yield* file("p.txt", "a fox\n"), "-c", "1")).code).toBe(0)
      yield* Effect.forEach(details, (detail) => emulator.inject(refuse(422, detail)))
      const { code, stderr } = yield* run(yield* file("p.txt", prompts), "-c", "1")
      expect(code).toBe(4)
      expect(stderr).toMatch(/3 submissions in a row failed .*\. 9 rows were not sent\./)
      expect((yield* emulator.counts).submit).toBe(4)
    }).pipe(onPort())
  )

  it.scopedLive("stops after three refusals in a row though it has accepted some before, and says what is left", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      const accept = Fault.respond("submit", 422, { body: { detail: "No such style" } })
      yield* Effect.forEach([accept, accept], emulator.inject)
      const path = yield* file("p.txt", prompts)
      expect((yield* run(path, "-c", "1")).stderr).toMatch(/^10 of 12 saved/m)
      const more = yield* file("p.txt", `${prompts}\na fox\na hare\nan owl\na bee\n`)
      yield* Effect.forEach([1, 2, 3], () => emulator.inject(refuse(402, "Not enough credits")))
      const { code, stderr } = yield* run(more, "-c", "1")
      expect(code).toBe(4)
      expect(stderr).toMatch(/^Row 1, "animal 0": .*No such style/m)
      expect(stderr).toMatch(
        /^The batch stopped, .*\. 1 row was not sent\. Once the reason is gone, run the same command/m
      )
      expect(stderr).toMatch(/Not enough credits\.\n$/)
    }).pipe(onPort())
  )

  it.scopedLive("finishes the rows under way, and prints one JSON line for the refusal", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run, saved } = yield* batch
      const path = yield* file("p.txt", prompts)
      const before = yield* started(["batch", path, "-o", images, "-c", "1", "--json"], { env })
      yield* before.wrote(/Submitted/)
      yield* before.interrupt
      yield* before.ended
      yield* Effect.forEach([1, 2, 3], () => emulator.inject(refuse(402, "Not enough credits")))
      const { code, stdout } = yield* run(path, "-c", "2", "--json")
      expect(code).toBe(4)
      const failures = (yield* decodeLines(Line, stdout)).filter(({ _tag }) => _tag === "Failed")
      expect(failures.map(({ row }) => row)).toEqual([undefined])
      // All but the refused ones, of which a slow machine submits more before the interruption.
      expect(yield* saved).toHaveLength((yield* emulator.counts).submit - 3)
    }).pipe(onPort({ drawTime: "2 seconds" }))
  )

  it.scopedLive("goes on if the refusals differ, or if a row is accepted in between", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      yield* Effect.forEach(
        [
          refuse(422, "No such style"),
          refuse(422, "No such style"),
          refuse(422, "The prompt is too long"),
          refuse(403, "The prompt is too long")
        ],
        emulator.inject
      )
      const { code, stderr } = yield* run(yield* file("p.txt", prompts), "-c", "1")
      expect(code).toBe(4)
      expect(stderr).toMatch(/^8 of 12 saved/m)
      for (const number of [1, 2, 3, 4]) expect(stderr).toMatch(new RegExp(`^Row ${String(number)}, `, "m"))
    }).pipe(onPort())
  )

  // fault: Submit | The service cannot be reached | The batch stops after three rows, and resumes later
  it.scopedLive("stops if three rows in a row cannot reach the service", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run, saved } = yield* batch
      yield* run(yield* file("one.txt", "a fox"))
      const path = yield* file("p.txt", prompts)
      const offline = { ...env, ARTA_API_URL: "http://127.0.0.1:9/api/v1" }
      const ended = yield* command(["batch", path, "-o", images, "--json"], { env: offline })
      expect(ended.code).toBe(5)
      const printed = yield* decodeLines(Line, ended.stdout)
      expect(printed.map(({ _tag, row }) => [_tag, row])).toEqual([["Failed", undefined]])
      expect((yield* emulator.counts).submit).toBe(1)
      expect((yield* run(path)).code).toBe(0)
      expect(yield* saved).toHaveLength(13)
    }).pipe(onPort())
  )
})
