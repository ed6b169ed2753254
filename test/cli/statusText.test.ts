import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Schema } from "effect"
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

/** A table of whole numbers in SQL. */
const series = (first: number, last: number) => `json_each('${JSON.stringify(Array.range(first, last))}')`

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
      expect(watched.stdout).not.toContain("\n\n")
      const seen = lines(stable(watched.stdout))
      expect(seen.at(-1)).toBe("p-HASH: 2 of 2 saved")
      expect(new Set(seen).size).toBe(seen.length)
      const json = yield* command(["status", "--watch", "--json", ...flags], { env })
      expect(yield* decodeLines(View, json.stdout)).toMatchObject([{ rows: { saved: 2 } }])
      yield* runner.interrupt
      yield* runner.ended
    }).pipe(onPort({ drawTime: "2 seconds" }))
  )

  it.scopedLive("follows all batches until no row is open, and says once why a row failed", () =>
    Effect.gen(function* () {
      const { edit, emulator, enqueue, startRunner, watch } = yield* world
      yield* enqueue("first.txt", ["a hare"])
      yield* emulator.inject(Fault.respond("submit", 422))
      yield* enqueue("p.txt", ["a fox", "an owl"])
      yield* edit((prefix) => [`UPDATE ${prefix}rows SET state = 'queued' WHERE batch_id LIKE 'p-%' AND row = 2`])
      const { ended, wrote } = yield* watch()
      yield* wrote(/row 1 /)
      const runner = yield* startRunner
      const { stdout } = yield* ended
      yield* runner.interrupt
      yield* runner.ended
      const seen = lines(stable(stdout))
      expect(seen.slice(0, 3)).toEqual([
        "p-HASH: 0 of 2 saved, 1 queued, 1 failed",
        expect.stringMatching(/^ {2}row 1 \(a-fox-SEED\): ResponseError: /),
        "first-HASH: 1 of 1 saved"
      ])
      expect(seen.at(-1)).toBe("p-HASH: 1 of 2 saved, 1 failed")
      expect(stdout.match(/row 1 /g)).toHaveLength(1)
    }).pipe(onPort())
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

  it.scopedLive("takes a whole name although another batch starts with it", () =>
    Effect.gen(function* () {
      const { enqueue, status } = yield* world
      yield* enqueue("p.txt", ["a hare"])
      const [name = ""] = /^p-[0-9a-f]{8}/.exec((yield* status()).stdout) ?? []
      yield* enqueue(`${name}.txt`, ["a fox"])
      expect(stable((yield* status(name)).stdout)).toBe("p-HASH: 1 of 1 saved\n")
    }).pipe(onPort())
  )

  it.scopedLive("names at most ten batches, and shows the newest fifty", () =>
    Effect.gen(function* () {
      const { edit, enqueue, status } = yield* world
      yield* enqueue("p.txt", ["a hare"])
      const add = (first: number, last: number) =>
        edit((prefix) => [
          `INSERT INTO ${prefix}batches SELECT 'old-' || value, 0, settings, NULL
           FROM ${prefix}batches AS batch, ${series(first, last)} WHERE batch.id LIKE 'p-%'`
        ])
      const names = Effect.map(status("plants"), ({ stderr }) => stable(stderr).split("It has ")[1])
      yield* add(11, 19)
      expect(yield* names).toMatch(/^p-HASH, (old-1\d, ){8}old-1\d\.\n$/)
      yield* add(20, 61)
      expect(yield* names).toMatch(/^p-HASH, (old-\d\d, ){9}…\.\n$/)
      expect(lines((yield* status()).stdout)).toHaveLength(51)
    }).pipe(onPort())
  )

  it.scopedLive("shows the speed, the time left, and the rows of each runner", () =>
    Effect.gen(function* () {
      const { edit, enqueue, status } = yield* world
      yield* enqueue("p.txt", ["a hare", "a fox", "an owl"])
      yield* enqueue("other.txt", ["a heron"])
      const [now, recently] = ["unixepoch('subsec') * 1000.0", "unixepoch('subsec') * 1000.0 - 30000"]
      /** Further rows of the batch `p`, in a state. */
      const rows = (prefix: string, state: string, from: number, to: number, runner: string) =>
        `INSERT INTO ${prefix}rows
         SELECT batch_id, value, request, name, fingerprint, '${state}', ${recently}, ${runner}, outcome
         FROM ${prefix}rows, ${series(from, to)} WHERE batch_id LIKE 'p-%' AND row = 1`
      const runner = (prefix: string, id: string, pid: number) =>
        `INSERT INTO ${prefix}runners VALUES ('${id}', 'host', ${String(pid)}, ${recently}, ${now}, ${recently}, NULL)`
      yield* edit((prefix) => [
        `UPDATE ${prefix}rows SET state = 'running', runner = 'first' WHERE batch_id LIKE 'other-%'`,
        rows(prefix, "saved", 4, 600, "NULL"),
        rows(prefix, "running", 601, 602, "'first'"),
        rows(prefix, "queued", 603, 640, "NULL"),
        runner(prefix, "first", 11),
        runner(prefix, "second", 12)
      ])
      expect(lines((yield* status("p")).stdout)).toEqual([
        expect.stringMatching(/: 600 of 640 saved, 2 running, 38 queued, \d\d rows a second, \d s left$/),
        "2 runners: host (process 11, 2 rows), host (process 12, 0 rows)"
      ])
      const [newest, , runners] = lines((yield* status()).stdout)
      expect(newest).toMatch(/^other-[0-9a-f]{8}: 0 of 1 saved, 1 running$/)
      expect(runners).toBe("2 runners: host (process 11, 3 rows), host (process 12, 0 rows)")
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
