import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch, prompts } from "../support/batchWorld.js"
import { command, started } from "../support/command.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"

// Each of these waits for a real timeout of ten seconds or more, so only the full suite runs them.
describe.concurrent("A command that waits for a service that does not respond", { timeout }, () => {
  it.scopedLive("stops waiting for a response after an interruption, and says what is unknown", () =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      yield* emulator.inject(Fault.hang("submit"))
      const submissions = Effect.map(emulator.counts, ({ submit }) => submit)
      const child = yield* started(["generate", "a fox", "--seed", "7", "-o", images], { env })
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("50 millis"), submissions), { until: (count) => count > 0 })
      yield* child.interrupt
      const { code, stderr } = yield* child.ended
      expect(code).toBe(130)
      expect(stderr).toMatch(/^Waiting up to 10 seconds for the response/m)
      expect(stderr).toMatch(/may or may not have accepted the generation.*\nLook for it .* \(seed 7\)/)
    }).pipe(onPort())
  )

  it.scopedLive("submits 32 rows at a time, and only unsent rows after an interruption", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run, saved } = yield* batch
      const rows = Array.from({ length: 40 }, (_, index) => `image ${String(index)}`)
      const path = yield* file("p.txt", rows.join("\n"))
      const submissions = Effect.map(emulator.counts, ({ submit }) => submit)
      const child = yield* started(["batch", path, "-o", images, "-c", "40"], { env })
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("50 millis"), submissions), { until: (count) => count >= 32 })
      yield* child.interrupt
      const interrupted = yield* child.ended
      expect(interrupted.code).toBe(130)
      expect(interrupted.stderr.match(/^Waiting up to 10 seconds/gm)).toHaveLength(1)
      expect(yield* submissions).toBe(32)

      expect((yield* run(path)).stderr).toMatch(/^8 of 40 saved/m)
      expect(yield* saved).toHaveLength(8)
    }).pipe(onPort({ faults: Array.from({ length: 32 }, () => Fault.hang("submit")) }))
  )

  it.scopedLive("retries rows that were stopped before they were sent", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run, saved } = yield* batch
      yield* emulator.inject(Fault.hang("signUp"))
      const path = yield* file("p.txt", prompts.join("\n"))
      const child = yield* started(["batch", path, "-o", images], { env })
      const signUps = Effect.map(emulator.counts, ({ signUp }) => signUp)
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("50 millis"), signUps), { until: (count) => count > 0 })
      yield* child.interrupt
      const interrupted = yield* child.ended
      expect(interrupted.code).toBe(130)
      expect(interrupted.stderr).not.toContain("Waiting")
      expect((yield* run(path)).code).toBe(0)
      expect(yield* saved).toHaveLength(4)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    {
      name: "was refused a session",
      fault: Fault.identityError("signUp", "NOT_TODAY"),
      args: [],
      code: 4,
      says: /NOT_TODAY/
    },
    {
      name: "had no session in time",
      fault: Fault.hang("signUp"),
      args: ["--timeout", "3"],
      code: 7,
      says: /Nothing was submitted within/
    }
  ])("prints the command that submits a row that $name", ({ args, code, fault, says }) =>
    Effect.gen(function* () {
      const { emulator, env, file, run, saved } = yield* batch
      yield* emulator.inject(fault)
      const failed = yield* run(yield* file("p.txt", "a fox\n"), ...args)
      expect(failed.code, failed.stderr).toBe(code)
      expect(failed.stderr).toMatch(says)
      const [, again = ""] = /^To retry only these rows: effect-arta (.*)$/m.exec(failed.stderr) ?? []
      const { stderr } = yield* command(again.split(" "), { env })
      expect(stderr).toMatch(/^1 of 1 saved/m)
      expect(yield* saved).toHaveLength(1)
    }).pipe(onPort())
  )

  it.scopedLive("does not claim an image that another command saves under the same name", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, saved } = yield* batch
      yield* emulator.inject(Fault.hang("status"))
      const path = yield* file("r.jsonl", '{"prompt":"an owl"}\n{"prompt":"a fox","seed":7,"model":"watercolor"}\n')
      const child = yield* started(["batch", path, "-o", images, "-c", "1"], { env })
      const polls = Effect.map(emulator.counts, ({ status }) => status)
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("50 millis"), polls), { until: (count) => count > 0 })
      const other = yield* command(["generate", "a fox", "--seed", "7", "-o", images], { env })
      expect(other.stdout).toBe(`${images}/a-fox-7-0.png\n`)

      const { code, stdout } = yield* child.ended
      expect(code).toBe(0)
      expect(stdout).toContain(`${images}/a-fox-7-2-0.png\n`)
      expect(yield* saved).toHaveLength(3)
    }).pipe(onPort())
  )
})
