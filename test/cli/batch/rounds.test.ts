import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { command, lines, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

/** A batch of two rows in a database. */
const shared = Effect.gen(function* () {
  const world = yield* batch
  const path = yield* world.file("p.jsonl", '{"prompt":"a fox","seed":7}\n{"prompt":"an owl"}\n')
  const run = (...args: ReadonlyArray<string>) => world.run(path, "--database", ...args)
  const submissions = Effect.map(world.emulator.counts, ({ submit }) => submit)
  return { ...world, path, run, submissions }
})

describe.concurrent("The rounds of a batch in a database", { timeout }, () => {
  it.scopedLive.each([
    { begins: "without", first: [] },
    { begins: "with", first: ["--again"] }
  ])("generates every row once more each time, if the first run is $begins --again", ({ first }) =>
    Effect.gen(function* () {
      const { run, saved, submissions } = yield* shared
      expect((yield* run(...first)).code).toBe(0)
      // Only without --again, an image has the seed of its row.
      const seeds = (yield* saved).filter((name) => name === "a-fox-7-0.png")
      expect(seeds).toHaveLength(first.length === 0 ? 1 : 0)
      for (const round of [2, 3]) {
        const { code, stderr } = yield* run("--again")
        expect(code, stderr).toBe(0)
        expect(stderr).toMatch(/^2 of 2 saved\. /m)
        expect(yield* submissions).toBe(round * 2)
        // No seed of an earlier round is used again: each has images of its own.
        expect(yield* saved).toHaveLength(round * 2)
      }
      // Without --again, there is nothing left to do.
      const { code, stderr, stdout } = yield* run()
      expect(code, stderr).toBe(0)
      expect(stderr).toMatch(/^2 of 2 saved: 0 generated now, 2 were there before\./m)
      expect(lines(stdout)).toHaveLength(2)
      expect(yield* submissions).toBe(6)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    { name: "My prompts (new) #1.txt", batch: "My-prompts-new-1" },
    { name: "狐と梟٣.v2_b.txt", batch: "狐と梟٣.v2_b" }
  ])("names its batch after the file: $name", ({ batch: shown, name }) =>
    Effect.gen(function* () {
      const { file, run } = yield* batch
      const { stdout } = yield* run(yield* file(name, "a fox\nan owl\n"), "--database", "--dry-run")
      expect(stdout.replace(/-[0-9a-f]{8}:[^]*/, "")).toBe(`Batch ${shown}`)
    }).pipe(onPort())
  )

  it.scopedLive("finishes a round that was interrupted before it starts another one", () =>
    Effect.gen(function* () {
      const { env, images, path, run, saved, submissions } = yield* shared
      yield* run()
      const interrupted = yield* started(["batch", path, "-o", images, "--database", "--again", "-c", "1"], { env })
      yield* interrupted.wrote(/^Batch p-[0-9a-f]{8}~2: 2 rows added/)
      yield* interrupted.interrupt
      expect((yield* interrupted.ended).code).toBe(130)
      const { code, stderr } = yield* run("--again")
      expect(code, stderr).toBe(0)
      expect(stderr).toMatch(/^Batch p-[0-9a-f]{8}~2: The database has its rows already\./)
      expect(stderr).toMatch(/^2 of 2 saved/m)
      expect(yield* submissions).toBe(4)
      expect(yield* saved).toHaveLength(4)
    }).pipe(onPort({ drawTime: "1 second" }))
  )

  // fault: Batch runners | A run with `--again` leaves an unknown row | The next `--again` submits nothing until retry --unknown
  it.scopedLive("starts no new round while the outcome of a row is unknown", () =>
    Effect.gen(function* () {
      const { emulator, env, images, run, submissions } = yield* shared
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      expect((yield* run("-c", "1", "--again")).code).toBe(5)
      expect((yield* run("--again")).code).toBe(5)
      expect(yield* submissions).toBe(2)
      yield* command(["retry", "p", "--unknown", "--yes", "--database", `sqlite:${images}/effect-arta.db`], { env })
      expect((yield* run("--again")).code).toBe(0)
      expect(yield* submissions).toBe(3)
      expect((yield* run("--again")).code).toBe(0)
      expect(yield* submissions).toBe(5)
    }).pipe(onPort())
  )

  it.scopedLive("starts a new round after one that was cancelled", () =>
    Effect.gen(function* () {
      const { edit, emulator, run, submissions } = yield* shared
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      expect((yield* run("-c", "1", "--again")).code).toBe(5)
      yield* edit((prefix) => [`UPDATE ${prefix}batches SET cancelled_at = 1`])
      expect((yield* run("--again")).code).toBe(0)
      expect(yield* submissions).toBe(4)
    }).pipe(onPort())
  )

  it.scopedLive("shows in a dry run which round is next, and what it has", () =>
    Effect.gen(function* () {
      const { run, submissions } = yield* shared
      const dryRun = (...args: ReadonlyArray<string>) =>
        Effect.map(run("--dry-run", ...args), ({ stdout }) => lines(stdout.replace(/-[0-9a-f]{8}/, "-HASH")))
      const rows = (batch: string) => `Batch ${batch}: 2 rows, 2 images.`
      const isNew = "The database does not have it yet."
      const sent = "This was a dry run: nothing was sent."
      expect(yield* dryRun()).toEqual([rows("p-HASH"), isNew, sent])
      yield* run()
      expect(yield* dryRun()).toEqual([rows("p-HASH"), "The database has it: 2 of 2 rows saved.", sent])
      expect(yield* dryRun("--again")).toEqual([rows("p-HASH~2"), isNew, sent])
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )
})
