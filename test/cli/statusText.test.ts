import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Fault } from "effect-arta/testing"
import { hostname } from "node:os"
import { batch } from "../support/batchWorld.js"
import { command, decodeLines, lines, started } from "../support/command.js"
import { onPort, timeout } from "../support/commandWorld.js"
import { until } from "../support/mcpWorld.js"

/** A directory with a database, and how to add batches to it and print them. */
const world = Effect.gen(function* () {
  const made = yield* batch
  const { env, file, images, run } = made
  const flags = ["--database", `sqlite:${images}/effect-arta.db`]
  return {
    ...made,
    flags,
    /** Runs a batch of these prompts, one row after the other. */
    enqueue: (name: string, prompts: ReadonlyArray<string>) =>
      Effect.flatMap(file(name, `${prompts.join("\n")}\n`), (path) => run(path, "--database", "-c", "1")),
    status: (...args: ReadonlyArray<string>) => command(["status", ...args, ...flags], { env }),
    watch: (...args: ReadonlyArray<string>) => started(["status", "--watch", ...args, ...flags], { env }),
    startRunner: started(["runner", ...flags, "-c", "1"], { env })
  }
})

const View = Schema.Struct({
  batch: Schema.String,
  rows: Schema.Record({ key: Schema.String, value: Schema.Int }),
  failures: Schema.Array(Schema.Struct({ row: Schema.Int, name: Schema.String, error: Schema.String }))
})

/** The output without what differs between runs: hashes, seeds, speed and the time that is left. */
const stable = (text: string) =>
  text
    .replace(/-\d+\)/g, "-SEED)")
    .replace(/-[0-9a-f]{8}\b/g, "-HASH")
    .replace(/, [\d.]+ rows a second/g, "")
    .replace(/, \d+ (s|min) left/g, "")

describe.concurrent("effect-arta status", { timeout }, () => {
  it.scopedLive("counts the rows in each state, and says why some failed", () =>
    Effect.gen(function* () {
      const { emulator, enqueue, status, watch } = yield* world
      yield* enqueue("first.txt", ["a hare"])
      yield* emulator.inject(Fault.respond("submit", 422, { body: { detail: "too\u001b[31m red" } }))
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      yield* enqueue("p.txt", ["a fox", "an owl", "a heron"])

      const overview = stable((yield* status()).stdout)
      expect(overview).toBe(
        "p-HASH: 1 of 3 saved, 1 unknown, 1 failed\nfirst-HASH: 1 of 1 saved\nNo runner is alive.\n"
      )
      const details = yield* status("p")
      expect(details.stdout).toMatch(/^p-[0-9a-f]{8}: 1 of 3 saved, 1 unknown, 1 failed, \d+\.\d rows a second\n/)
      expect(lines(stable(details.stdout))).toEqual([
        "p-HASH: 1 of 3 saved, 1 unknown, 1 failed",
        expect.stringMatching(/^ {2}row 1 \(a-fox-SEED\): ResponseError: .*too.*red/),
        expect.stringMatching(/^ {2}row 2 \(an-owl-SEED\): SubmissionUnknownError: /)
      ])
      expect(details.stdout).not.toContain("\u001b")
      const watched = yield* Effect.flatMap(watch("p"), ({ ended }) => ended)
      expect(watched.code).toBe(0)
      expect(stable(watched.stdout)).toBe(stable(details.stdout))

      const [view, ...others] = yield* decodeLines(View, (yield* status("p", "--json")).stdout)
      expect(others).toEqual([])
      expect(view).toMatchObject({
        rows: { saved: 1, unknown: 1, failed: 1, queued: 0, running: 0, cancelled: 0 },
        failures: [
          { row: 1, error: "ResponseError" },
          { row: 2, error: "SubmissionUnknownError" }
        ]
      })
      expect(yield* decodeLines(View, (yield* status("--json")).stdout)).toHaveLength(2)
    }).pipe(onPort())
  )

  it.scopedLive("follows the rows of a batch and names its runners", () =>
    Effect.gen(function* () {
      const { emulator, env, file, flags, images, startRunner, status, watch } = yield* world
      const path = yield* file("p.txt", "a fox\nan owl\n")
      const enqueued = yield* started(["batch", path, "-o", images, "--database", "-c", "1"], { env })
      yield* enqueued.wrote(/^Batch p-/m)
      yield* enqueued.interrupt
      yield* enqueued.ended
      yield* emulator.inject(Fault.respond("status", 503))

      const runner = yield* startRunner
      yield* until(Effect.map(status("p"), ({ stdout }) => stdout.includes("running")))
      const [line, runners] = lines(stable((yield* status("p")).stdout))
      expect(line).toMatch(/^p-HASH: [01] of 2 saved, 1 running(, 1 queued)?$/)
      expect(runners).toBe(`1 runner: ${hostname()} (process ${String(process.pid)}, 1 row)`)

      const watched = yield* Effect.flatMap(watch("p"), ({ ended }) => ended)
      const seen = lines(stable(watched.stdout))
      expect(seen.at(-1)).toBe("p-HASH: 2 of 2 saved")
      expect(new Set(seen).size).toBe(seen.length)
      const json = yield* command(["status", "--watch", "--json", ...flags], { env })
      expect(yield* decodeLines(View, json.stdout)).toMatchObject([{ rows: { saved: 2 } }])
      yield* runner.interrupt
      yield* runner.ended
    }).pipe(onPort({ drawTime: "2 seconds" }))
  )

  it.scopedLive("takes the start of a batch's name, if only one batch has it", () =>
    Effect.gen(function* () {
      const { enqueue, status } = yield* world
      yield* enqueue("animals.txt", ["a hare"])
      yield* enqueue("animal.txt", ["a fox"])
      expect(stable((yield* status("animals")).stdout)).toBe("animals-HASH: 1 of 1 saved\n")
      const name = /^animal-\S+(?=:)/m.exec((yield* status()).stdout)?.[0] ?? "none"
      expect((yield* status(name)).stdout).toContain(`${name}: 1 of 1 saved`)

      const several = yield* status("anim")
      expect(several.code).toBe(2)
      expect(stable(several.stderr)).toBe('More than one batch starts with "anim": animal-HASH, animals-HASH.\n')
      const none = yield* status("plants")
      expect(none.code).toBe(2)
      expect(stable(none.stderr)).toBe('The database has no batch "plants". It has animal-HASH, animals-HASH.\n')
    }).pipe(onPort())
  )

  it.scopedLive("says that a database has no batches", () =>
    Effect.gen(function* () {
      const { enqueue, env, flags, status } = yield* world
      yield* enqueue("p.txt", ["a fox"])
      const other = ["--emulator"]
      const all = yield* status(...other)
      expect([all.code, all.stdout, all.stderr]).toEqual([
        0,
        "",
        "There are no batches in this database for this service. Enqueue one: effect-arta batch FILE --database\n"
      ])
      const one = yield* status("p", ...other)
      expect(one.stderr).toContain("It has none for this service. Enqueue one: effect-arta batch FILE --database URL")
      const runner = yield* command(["retry", "p", "--unknown", ...other, ...flags], { env })
      expect(runner.code).toBe(2)
    }).pipe(onPort())
  )
})
