import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { hostname } from "node:os"
import { quote } from "shell-quote"
import { batch, prompts } from "../../support/batchWorld.js"
import { command, started } from "../../support/command.js"
import { commandProcess, startProcess } from "../../support/commandProcess.js"
import { onPort, timeout } from "../../support/commandWorld.js"

describe.concurrent("effect-arta batch, when it is stopped", { timeout }, () => {
  it.scopedLive("stops at once where no row would be let in", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      yield* emulator.inject(Fault.identityError("signUp", "OPERATION_NOT_ALLOWED"))
      const path = yield* file("p.txt", prompts.join("\n"))
      const { code, stderr } = yield* run(path)
      expect(code).toBe(4)
      expect(stderr).toMatch(/sign-up is disabled/)
      expect((yield* emulator.counts).signUp).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive("resumes after an interruption with the remaining rows only", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run, saved } = yield* batch
      const path = yield* file("p.txt", prompts.join("\n"))
      const child = yield* startProcess(["batch", path, "-o", images, "-c", "2", "--json"], { env })
      yield* child.wrote(/Submitted[^]*Submitted/)
      yield* child.signal("SIGINT")
      const interrupted = yield* child.ended
      expect(interrupted.code).toBe(130)
      expect(interrupted.stderr).toMatch(/Run the same command again to resume/)
      expect((yield* run(path)).code).toBe(0)
      expect(yield* saved).toHaveLength(4)
      expect((yield* emulator.counts).submit).toBe(4)
    }).pipe(onPort({ drawTime: "500 millis" }))
  )

  it.scopedLive("submits 32 rows at a time, and after an interruption only those that were not sent yet", () =>
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

  it.scopedLive("takes over the lock of a killed batch that had the same process id", () =>
    Effect.gen(function* () {
      const { env, file, fs, images } = yield* batch
      const path = yield* file("p.txt", "a fox\n")
      yield* fs.makeDirectory(images)
      const lock = `${images}/.effect-arta.lock`
      const { code, stderr } = yield* commandProcess(["batch", path, "-o", images], {
        env,
        before: `printf %s "$$ on ${hostname()}" > ${quote([lock])}`
      })
      expect(code, stderr).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("lets no second batch into the same folder", () =>
    Effect.gen(function* () {
      const { env, file, images, run } = yield* batch
      const path = yield* file("p.txt", "a fox\n")
      const child = yield* startProcess(["batch", path, "-o", images, "--json"], { env })
      yield* child.wrote(/Submitted/)
      const other = yield* run(path)
      expect(other.code).toBe(3)
      expect(other.stderr).toMatch(/Another batch \(process \d+ on .+\)/)
      expect(other.stderr).toContain(`remove ${images}/.effect-arta.lock.`)
    }).pipe(onPort({ drawTime: "1 hour" }))
  )

  it.scopedLive("takes over no lock from another machine, which may be at work", () =>
    Effect.gen(function* () {
      const { emulator, file, fs, images, run } = yield* batch
      yield* fs.makeDirectory(images)
      yield* fs.writeFileString(`${images}/.effect-arta.lock`, "1 on another-machine")
      const { code, stderr } = yield* run(yield* file("p.txt", "a fox\n"))
      expect(code).toBe(3)
      expect(stderr).toContain("Another batch (process 1 on another-machine)")
      expect(yield* emulator.requests).toEqual([])
    }).pipe(onPort())
  )

  it.scopedLive("submits no more where the disk has no room for images", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run, saved } = yield* batch
      // The size of an image follows from its seed: these have more than the 2,048 bytes that a file may have.
      const path = yield* file("r.jsonl", '{"prompt":"a fox","seed":7}\n'.repeat(4))
      const args = ["batch", path, "-o", images, "-c", "1"]
      const full = yield* commandProcess(args, { env, before: "ulimit -f 4" })
      expect(full.code, full.stderr).toBe(3)
      expect(full.stderr).toMatch(/^Could not save \S+ to \S+: /m)
      expect((yield* emulator.counts).submit).toBe(1)
      expect((yield* run(path)).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(4)
      expect(yield* saved).toHaveLength(4)
    }).pipe(onPort())
  )

  it.scopedLive("leaves no doubt about what was stopped before it was sent", () =>
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

  it.scopedLive("submits no more where the service wants to be left alone for too long", () =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      yield* emulator.inject(Fault.respond("submit", 429, { headers: { "retry-after": "3600" } }))
      const path = yield* file("p.txt", prompts.join("\n"))
      const limited = yield* run(path, "-c", "1")
      expect(limited.code).toBe(4)
      // The other rows have not failed: they were not even tried.
      expect(limited.stderr).not.toMatch(/^Row \d/m)
      expect((yield* emulator.counts).submit).toBe(1)
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
    { name: "had no session in time", fault: Fault.hang("signUp"), args: ["--timeout", "3"], code: 7, says: /nothing/ }
  ])("submits what $name by the command that it prints", ({ args, code, fault, says }) =>
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

  it.scopedLive("begins again what an emulator in memory has forgotten, by the command that it prints", () =>
    Effect.gen(function* () {
      const { file, images, saved } = yield* batch
      const path = yield* file("p.txt", "a fox\nan owl\n")
      const late = yield* command(["batch", path, "-o", images, "--emulator", "--timeout", "1"])
      expect(late.code).toBe(7)
      const [, again = ""] = /^To retry only these rows: effect-arta (.*)$/m.exec(late.stderr) ?? []
      const { code, stderr } = yield* command(again.split(" "))
      expect(code, stderr).toBe(0)
      expect(yield* saved).toHaveLength(2)
    }).pipe(onPort())
  )
})
