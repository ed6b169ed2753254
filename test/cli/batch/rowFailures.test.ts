import { describe, expect, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { command, lines, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

const prompts = "a fox\nan owl\na hare\n"

const times = (count: number, fault: Fault.Fault) => Array.replicate(fault, count)

describe.concurrent("A failure that affects every row", { timeout }, () => {
  it.scopedLive.each([
    { failure: "a disabled account", code: 4, submit: 0, faults: [Fault.identityError("signUp", "USER_DISABLED")] },
    { failure: "an account that is refused", code: 4, submit: 2, faults: times(2, Fault.respond("submit", 401)) }
  ])("stops the batch, and is reported once: $failure", ({ code, faults, submit }) =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      const path = yield* file("p.txt", prompts)
      yield* Effect.forEach(faults, emulator.inject)
      const ended = yield* run(path, "-c", "1")
      expect(ended.code, ended.stderr).toBe(code)
      expect(lines(ended.stderr)).toEqual([
        expect.stringMatching(/^0 of 3 saved\. /),
        expect.not.stringMatching(/^Row /)
      ])
      expect((yield* emulator.counts).submit).toBe(submit)

      expect((yield* run(path)).code).toBe(0)
      expect(yield* saved).toHaveLength(3)
      expect((yield* emulator.counts).submit).toBe(submit + 3)
    }).pipe(onPort())
  )

  it.scopedLive("stops the batch before it submits, if the session cannot be kept", () =>
    Effect.gen(function* () {
      const { directory, emulator, env, file, fs, images } = yield* batch
      const path = yield* file("p.txt", prompts)
      yield* fs.makeDirectory(`${directory}/credentials.json`)
      const { code, stderr } = yield* command(["batch", path, "-o", images, "-c", "1"], { env })
      expect(code, stderr).toBe(3)
      expect(stderr).not.toMatch(/^Row /m)
      expect(stderr).toContain("credentials.json")
      expect((yield* emulator.counts).submit).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("stops the batch if an image cannot be saved, and its next run saves it", () =>
    Effect.gen(function* () {
      const { directory, emulator, env, file, fs, images, run, saved } = yield* batch
      const path = yield* file("p.txt", prompts)
      const batching = yield* started(["batch", path, "-o", images, "-c", "1", "--json"], { env })
      yield* batching.wrote(/Submitted/)
      yield* fs.rename(images, `${directory}/moved`)
      yield* fs.writeFileString(images, "")
      const { code, stdout } = yield* batching.ended
      expect(code).toBe(3)
      const failure = lines(stdout).at(-1)
      expect(failure).toContain('"error":"DownloadError"')
      expect(failure).not.toContain('"row"')
      expect((yield* emulator.counts).submit).toBe(1)

      yield* fs.remove(images)
      yield* fs.rename(`${directory}/moved`, images)
      // This process still runs, so its lock is not taken over.
      yield* fs.remove(`${images}/.effect-arta.lock`)
      const again = yield* run(path)
      expect(again.code, again.stderr).toBe(0)
      expect(yield* saved).toHaveLength(3)
      expect((yield* emulator.counts).submit).toBe(3)
    }).pipe(onPort({ drawTime: "4 seconds" }))
  )

  it.scopedLive("stops the batch if another one took its directory over", () =>
    Effect.gen(function* () {
      const { emulator, env, file, fs, images } = yield* batch
      const path = yield* file("p.txt", prompts)
      const batching = yield* started(["batch", path, "-o", images, "-c", "1", "--json"], { env })
      yield* batching.wrote(/Submitted/)
      yield* fs.writeFileString(`${images}/.effect-arta.lock`, "1 on another-machine\n9")
      const { code, stderr, stdout } = yield* batching.ended
      expect(code, stderr).toBe(3)
      expect(lines(stdout).filter((line) => line.includes("Failed"))).toEqual([
        expect.stringMatching(/"error":"SetupError".*removed or taken over/)
      ])
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(onPort({ drawTime: "4 seconds" }))
  )
})

/** What the next run does about a row that failed. */
const next = { submits: { submit: 4, code: 0 }, watches: { submit: 3, code: 0 } }
const nothing = (code: number) => ({ submit: 3, code })

describe.concurrent("A row that failed", { timeout }, () => {
  it.scopedLive.each([
    { failure: "submit 402", faults: [Fault.respond("submit", 402)], then: "submits it", ...next.submits },
    { failure: "submit 422", faults: [Fault.respond("submit", 422)], then: "leaves it", ...nothing(4) },
    { failure: "status 403", faults: [Fault.respond("status", 403)], then: "watches it", ...next.watches },
    { failure: "status 402", faults: [Fault.respond("status", 402)], then: "watches it", ...next.watches },
    { failure: "status 410", faults: [Fault.respond("status", 410)], then: "leaves it", ...nothing(4) },
    { failure: "a generation", faults: [Fault.failGeneration("NSFW")], then: "leaves it", ...nothing(6) },
    { failure: "an image", faults: times(2, Fault.respond("image", 451)), then: "watches it", ...next.watches }
  ])("does not stop the others, and the next run $then: $failure", ({ code, faults, submit }) =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      const path = yield* file("p.txt", prompts)
      yield* Effect.forEach(faults, emulator.inject)
      const first = yield* run(path, "-c", "1")
      expect(first.stderr).toMatch(/^2 of 3 saved\. [^]*^Row 1, "a fox": /m)
      expect(first.stderr).not.toMatch(/^Row [23]/m)
      const again = yield* run(path)
      expect(again.code, again.stderr).toBe(code)
      expect(yield* saved).toHaveLength(code === 0 ? 3 : 2)
      expect((yield* emulator.counts).submit).toBe(submit)
    }).pipe(onPort())
  )

  it.scopedLive("does not stop the others, though many fail for the same reason after they were accepted", () =>
    Effect.gen(function* () {
      const { emulator, file, run, saved } = yield* batch
      const path = yield* file("p.txt", `${prompts}a heron\n`)
      yield* Effect.forEach(times(3, Fault.respond("status", 403)), emulator.inject)
      const { stderr } = yield* run(path, "-c", "1")
      expect(stderr).toMatch(/^1 of 4 saved/m)
      expect(stderr.match(/^Row [123], /gm)).toHaveLength(3)
      expect(yield* saved).toHaveLength(1)
    }).pipe(onPort())
  )
})
