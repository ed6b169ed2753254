import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { hostname } from "node:os"
import { quote } from "shell-quote"
import { batch, prompts } from "../../support/batchWorld.js"
import { command, started } from "../../support/command.js"
import { commandProcess, startProcess } from "../../support/commandProcess.js"
import { onPort, timeout } from "../../support/commandWorld.js"

describe.concurrent("A stopped batch", { timeout }, () => {
  it.scopedLive("stops at once if sign-up fails for every row", () =>
    Effect.gen(function* () {
      const { emulator, file, run } = yield* batch
      yield* emulator.inject(Fault.identityError("signUp", "OPERATION_NOT_ALLOWED"))
      const path = yield* file("p.txt", prompts.join("\n"))
      const { code, stderr } = yield* run(path)
      expect(code).toBe(4)
      expect(stderr).toMatch(/allows no anonymous sign-up/)
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

  it.scopedLive("prints its summary and writes the gallery after an interruption", () =>
    Effect.gen(function* () {
      const { env, file, fs, images, saved } = yield* batch
      const path = yield* file("p.txt", prompts.join("\n"))
      const running = yield* started(["batch", path, "-o", images, "-c", "1"], { env })
      yield* running.wrote(/^\[1\/4\] saved/m)
      yield* running.interrupt
      const { code, stderr } = yield* running.ended
      expect(code).toBe(130)
      expect(stderr).toMatch(/^1 of 4 saved\. Gallery: .*index\.html$/m)
      expect(stderr).toMatch(/^Stopped\. .*Run the same command again to resume/m)
      const page = yield* fs.readFileString(`${images}/index.html`)
      for (const name of yield* saved) expect(page).toContain(name)
    }).pipe(onPort({ drawTime: "500 millis" }))
  )

  it.scopedLive("has a gallery while it runs", () =>
    Effect.gen(function* () {
      const { env, file, fs, images, saved } = yield* batch
      const path = yield* file("p.txt", prompts.join("\n"))
      const running = yield* started(["batch", path, "-o", images, "-c", "1"], { env })
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), fs.exists(`${images}/index.html`)), {
        until: (isThere) => isThere
      })
      const [first = "no image"] = yield* saved
      expect(yield* fs.readFileString(`${images}/index.html`)).toContain(first)
      yield* running.interrupt
      expect((yield* running.ended).code).toBe(130)
    }).pipe(onPort({ drawTime: "1 second" }))
  )

  it.scopedLive("takes over the lock of a killed batch that had the same process id", () =>
    Effect.gen(function* () {
      const { env, file, fs, images } = yield* batch
      const path = yield* file("p.txt", "a fox\n")
      yield* fs.makeDirectory(images)
      const lock = `${images}/.effect-arta.lock`
      const { code, stderr } = yield* commandProcess(["batch", path, "-o", images], {
        env,
        before:
          "boot=$(cat /proc/sys/kernel/random/boot_id); processes=$(readlink /proc/self/ns/pid); " +
          `printf %s "$$ on ${hostname()} ($boot/$processes 1)" > ${quote([lock])}`
      })
      expect(code, stderr).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("lets no second batch into the same directory", () =>
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

  it.scopedLive("does not take over a lock from another machine", () =>
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

  it.scopedLive("submits no more once the disk is full", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images, run, saved } = yield* batch
      // The seed determines the size of an image. These exceed the limit of 2,048 bytes for a file.
      const path = yield* file("r.jsonl", '{"prompt":"a fox","seed":7}\n'.repeat(4))
      const args = ["batch", path, "-o", images, "-c", "1"]
      const full = yield* commandProcess(args, { env, before: "ulimit -f 4" })
      expect(full.code, full.stderr).toBe(3)
      expect(full.stderr).toMatch(/too large for this disk/)
      expect((yield* emulator.counts).submit).toBe(1)
      expect((yield* run(path)).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(4)
      expect(yield* saved).toHaveLength(4)
    }).pipe(onPort({ imageSize: 512 }))
  )

  it.scopedLive("submits no more if the cooldown of the service is too long", () =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      yield* emulator.inject(Fault.respond("submit", 429, { headers: { "retry-after": "3600" } }))
      const path = yield* file("p.txt", prompts.join("\n"))
      const limited = yield* run(path, "-c", "1")
      expect(limited.code).toBe(4)
      // The other rows did not fail: they were not attempted.
      expect(limited.stderr).not.toMatch(/^Row \d/m)
      expect((yield* emulator.counts).submit).toBe(1)
      expect((yield* run(path)).code).toBe(0)
      expect(yield* saved).toHaveLength(4)
    }).pipe(onPort())
  )

  it.scopedLive("prints the command that submits the rows of an emulator in memory again", () =>
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
