import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch, prompts } from "../../support/batchWorld.js"
import { command, lines, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

/** A batch whose rows are in the SQLite file beside its images. */
const shared = Effect.gen(function* () {
  const world = yield* batch
  const { env, images } = world
  const database = ["--database", `sqlite:${images}/effect-arta.db`]
  return {
    ...world,
    database,
    share: (path: string, ...args: ReadonlyArray<string>) => world.run(path, "--database", ...args),
    inDatabase: (...args: ReadonlyArray<string>) => command([...args, ...database], { env })
  }
})

describe.concurrent("batch --database", { timeout }, () => {
  it.scopedLive("saves under the names of a batch without a database, and adds nothing when it is repeated", () =>
    Effect.gen(function* () {
      const { emulator, file, fs, images, inDatabase, saved, share } = yield* shared
      const path = yield* file("animals.txt", prompts.join("\n"))
      expect((yield* share(path, "--dry-run")).stdout).toMatch(/The database does not have it yet\./)
      expect(yield* fs.exists(images)).toBe(false)
      const first = yield* share(path)
      expect(first.code, first.stderr).toBe(0)
      expect(first.stderr).toMatch(/^Batch animals-[0-9a-f]{8}: 4 rows added\./m)
      expect(first.stderr).toMatch(/^4 of 4 saved\. Gallery: /m)
      expect(lines(first.stdout)).toHaveLength(4)
      const names = yield* saved
      expect(names.map((name) => name.replace(/\d+/, "SEED"))).toEqual([
        "a-fox-SEED-0.png",
        "a-fox-SEED-0.png",
        "a-hare-SEED-0.png",
        "an-owl-SEED-0.png"
      ])

      const second = yield* share(path)
      expect(second.code, second.stderr).toBe(0)
      expect(second.stderr).toMatch(/^4 of 4 saved: 0 generated now, 4 were there before\./m)
      expect((yield* emulator.counts).submit).toBe(4)
      expect(yield* saved).toEqual(names)

      const { stdout } = yield* inDatabase("status", "animals", "--json")
      expect(JSON.parse(stdout)).toMatchObject({ rows: { saved: 4, queued: 0, running: 0, failed: 0, unknown: 0 } })
      expect((yield* inDatabase("status")).stdout).toMatch(/^animals-[0-9a-f]{8}: 4 of 4 saved/)
      expect((yield* inDatabase("status", "--watch")).stdout).toMatch(/^animals-[0-9a-f]{8}: 4 of 4 saved/)
    }).pipe(onPort())
  )

  it.scopedLive("gives each row a name of its own, and takes a file with a long name", () =>
    Effect.gen(function* () {
      const { file, saved, share } = yield* shared
      const path = yield* file(`${"x".repeat(59)}𠮷野.txt`, "a fox\na fox\na fox 2\n")
      const { code, stderr } = yield* share(path, "--name", "{prompt}")
      expect(code, stderr).toBe(0)
      expect(stderr).toMatch(/^Batch x{59}𠮷-[0-9a-f]{8}: 3 rows added\./mu)
      expect(yield* saved).toEqual(["a-fox-0.png", "a-fox-2-0.png", "a-fox-2-2-0.png"])
    }).pipe(onPort())
  )

  // fault: Batch runners | The file of a batch in a database has changed | refused, because every row would be paid for again
  it.scopedLive("pays for no row of a changed file again, unless --again says so", () =>
    Effect.gen(function* () {
      const { emulator, file, saved, share } = yield* shared
      const path = yield* file("p.txt", "a fox\n")
      expect((yield* share(path)).code).toBe(0)
      yield* file("p.txt", "a fox\nan owl\n")
      const changed = yield* share(path)
      expect(changed.code).toBe(2)
      expect(changed.stderr).toMatch(/p\.txt or its options have changed since the batch p-[0-9a-f]{8}.*add --again\./)
      expect((yield* emulator.counts).submit).toBe(1)
      const again = yield* share(path, "--again")
      expect(again.code, again.stderr).toBe(0)
      expect((yield* emulator.counts).submit).toBe(3)
      expect(yield* saved).toHaveLength(3)
    }).pipe(onPort())
  )

  // fault: Batch runners | The batch of a file is from another machine | refused before a submission, because the images could not be saved
  it.scopedLive("submits no row of a batch that saves to a directory of another machine", () =>
    Effect.gen(function* () {
      const { edit, emulator, file, share } = yield* shared
      const path = yield* file("p.txt", "a fox\n")
      yield* emulator.inject(Fault.respond("submit", 402))
      expect((yield* share(path)).code).toBe(4)
      const before = yield* emulator.counts
      yield* edit((prefix) => [`UPDATE ${prefix}batches SET settings = json_set(settings, '$.host', 'elsewhere')`])
      const { code, stderr } = yield* share(path)
      expect(code, stderr).toBe(2)
      expect(stderr).toMatch(/saves to .*images on elsewhere, which is another machine\. .*effect-arta runner -o DIR$/m)
      expect((yield* emulator.counts).submit).toBe(before.submit)
    }).pipe(onPort())
  )

  // fault: Batch runners | A batch with a database finds the journal of one without | refused, because its rows are paid for
  it.scopedLive("generates no row that the journal of the directory has", () =>
    Effect.gen(function* () {
      const { emulator, file, run, share } = yield* shared
      const path = yield* file("p.txt", "a fox\nan owl\n")
      expect((yield* run(path)).code).toBe(0)
      const { code, stderr } = yield* share(path)
      expect(code).toBe(2)
      expect(stderr).toMatch(/The journal of .*images has 2 rows of this file already/)
      expect((yield* emulator.counts).submit).toBe(2)
    }).pipe(onPort())
  )

  // fault: Batch runners | A batch without a database finds that of one with it | refused, because its rows are paid for
  it.scopedLive("generates no row that the database beside the images has", () =>
    Effect.gen(function* () {
      const { emulator, file, run, saved, share } = yield* shared
      const path = yield* file("p.txt", "a fox\nan owl\n")
      const first = yield* share(path)
      expect(first.code, first.stderr).toBe(0)
      yield* file("p.txt", "a fox\nan owl\na hare\n")
      const without = yield* run(path)
      expect(without.code).toBe(2)
      expect(without.stderr).toMatch(/has the rows of .*p\.txt already, as the batch p-[0-9a-f]{8}\. Add --database/)
      expect((yield* emulator.counts).submit).toBe(2)

      const other = yield* run(yield* file("other.txt", "a heron\n"))
      expect(other.code, other.stderr).toBe(0)
      const again = yield* run(path, "--again")
      expect(again.code, again.stderr).toBe(0)
      expect(yield* saved).toHaveLength(6)
    }).pipe(onPort())
  )

  it.scopedLive("has the prompts in its gallery", () =>
    Effect.gen(function* () {
      const { env, file, images, share } = yield* shared
      expect((yield* share(yield* file("p.txt", "a fox under a bridge\n"))).code).toBe(0)
      const { stdout } = yield* command(["gallery", images], { env })
      const page = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(stdout.trim()))
      expect(page).toContain("a fox under a bridge")
    }).pipe(onPort())
  )

  // fault: Batch runners | A batch in a database loses the response to a submission | unknown, and sent again only by retry --unknown
  it.scopedLive("submits an unknown row again only if retry --unknown --yes says so", () =>
    Effect.gen(function* () {
      const { emulator, file, inDatabase, saved, share } = yield* shared
      const path = yield* file("p.txt", "a fox\n")
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      const first = yield* share(path)
      expect(first.code).toBe(5)
      expect(first.stderr).toMatch(/effect-arta retry p-[0-9a-f]{8} --unknown --database /)
      expect((yield* share(path)).code).toBe(5)
      expect((yield* emulator.counts).submit).toBe(1)

      const unsure = yield* inDatabase("retry", "p", "--unknown")
      expect(unsure.code).toBe(2)
      expect(unsure.stderr).toMatch(/^1 row may have been accepted already, and may be paid twice\..*add --yes\./)
      expect((yield* inDatabase("retry", "p")).code).toBe(2)
      expect((yield* inDatabase("retry", "p", "--unknown", "--yes")).code).toBe(0)
      const again = yield* share(path)
      expect(again.code, again.stderr).toBe(0)
      expect((yield* emulator.counts).submit).toBe(2)
      expect(yield* saved).toHaveLength(1)
      expect((yield* inDatabase("retry", "p", "--unknown", "--yes")).stderr).toMatch(
        /^No row of p-[0-9a-f]{8} is unknown/
      )
    }).pipe(onPort())
  )

  it.scopedLive("lists the rows that failed, and writes them to a file", () =>
    Effect.gen(function* () {
      const { directory, emulator, file, fs, share } = yield* shared
      const path = yield* file("p.txt", "a fox\nan owl\n")
      yield* emulator.inject(Fault.respond("submit", 400))
      const { code, stderr } = yield* share(path, "-c", "1", "--failures", `${directory}/failed.jsonl`)
      expect(code).toBe(4)
      expect(stderr).toMatch(/^Row 1, "a fox": /m)
      expect(stderr).toMatch(/^1 row to run again in .*failed\.jsonl$/m)
      expect(lines(yield* fs.readFileString(`${directory}/failed.jsonl`))).toEqual(['{"prompt":"a fox"}'])
    }).pipe(onPort())
  )

  // fault: Batch runners | A generation of a batch in a database takes too long | not in the file of failed rows, because it is paid for
  it.scopedLive("writes no accepted row to the file of failed rows, and says how to get its images", () =>
    Effect.gen(function* () {
      const { directory, file, fs, images, share } = yield* shared
      const path = yield* file("p.txt", Array.from({ length: 21 }, (_, index) => `fox ${String(index)}`).join("\n"))
      const flags = ["-c", "21", "--timeout", "1", "--failures", `${directory}/failed.jsonl`]
      const { code, stderr } = yield* share(path, ...flags)
      expect(code, stderr).toBe(7)
      expect(stderr).toMatch(/^0 rows to run again in .*failed\.jsonl$/m)
      expect(stderr).toMatch(/^It leaves out 21 rows that may be paid for already\.$/m)
      expect(stderr.match(new RegExp(`^effect-arta watch \\S+ -o ${images}$`, "gm"))).toHaveLength(20)
      expect(stderr).toMatch(/^…and 1 more\. Run the same command with --json/m)
      const again = yield* share(path, ...flags, "--json")
      expect(again.stdout.match(/"recordId":"record-/g)).toHaveLength(21)
      expect((yield* fs.readFileString(`${directory}/failed.jsonl`)).trim()).toBe("")
    }).pipe(onPort({ drawTime: "1 minute" }))
  )

  it.scopedLive(
    "hands its rows over to a runner, which saves where the batch says and ends when it is interrupted",
    () =>
      Effect.gen(function* () {
        const { database, emulator, env, file, images, inDatabase, saved, share } = yield* shared
        const path = yield* file("p.txt", prompts.join("\n"))
        const batch = yield* started(["batch", path, "-o", images, "--database", "-c", "1"], { env })
        yield* batch.wrote(/^Batch p-/m)
        yield* batch.interrupt
        const interrupted = yield* batch.ended
        expect(interrupted.code).toBe(130)
        expect(interrupted.stderr).toMatch(/^Stopped\. .*Run the same command again to resume/m)

        const runner = yield* started(["runner", ...database], { env })
        expect((yield* inDatabase("status", "p", "--watch")).stdout).toMatch(/: 4 of 4 saved/)
        yield* runner.interrupt
        const { code, stderr } = yield* runner.ended
        expect(code).toBe(130)
        expect(stderr).toMatch(
          /level=INFO .*message=started concurrency=32 database=sqlite:\S+ runner=\S+ submissions=4/
        )
        expect(stderr).toMatch(/message=saved name=a-fox-\d+ images=1 batch=p-[0-9a-f]{8}/)
        expect(yield* saved).toHaveLength(4)
        expect((yield* emulator.counts).submit).toBe(4)
        expect((yield* share(path, "--dry-run")).stdout).toMatch(/The database has it: 4 of 4 rows saved\./)
      }).pipe(onPort())
  )

  it.scopedLive("does not mix the rows of the emulator with those of a service", () =>
    Effect.gen(function* () {
      const { emulator, file, inDatabase, share } = yield* shared
      const path = yield* file("p.txt", "a fox\n")
      expect((yield* share(path, "--emulator")).code).toBe(0)
      expect((yield* inDatabase("status")).stderr).toMatch(/no batches in this database for this service/)
      expect((yield* inDatabase("status", "--emulator")).stdout).toMatch(/^p-[0-9a-f]{8}: 1 of 1 saved/)
      expect((yield* emulator.counts).submit).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("refuses --retry-failed", () =>
    Effect.gen(function* () {
      const { file, share } = yield* shared
      const { code, stderr } = yield* share(yield* file("p.txt", "a fox\n"), "--retry-failed")
      expect([code, stderr]).toEqual([2, expect.stringContaining("--failures FILE")])
    }).pipe(onPort())
  )
})

const secret = "s3cret%23word"

describe.concurrent("The URL of a database", { timeout }, () => {
  // fault: Secrets | The URL of a database is invalid, or its server refuses | a message without user and password
  it.scopedLive.each([
    { url: "mysql://me:s3cret@host/db", says: /^--database must be sqlite:FILE, or postgres:/m, code: 2 },
    { url: "postgres://me:s3cret#1@host/db", says: /write special characters as %40 for @/, code: 2 },
    { url: "postgres://me:12@s3cret/x@host/db", says: /write special characters as %40 for @/, code: 2 },
    { url: "postgres://me:%zzs3cret@host/db", says: /write special characters as %40 for @/, code: 2 },
    { url: "images.db", says: /For a file, write sqlite: in front of its name\./, code: 2 },
    { url: "sqlite::memory:", says: /must name a file/, code: 2 },
    {
      url: `postgres://me:${secret}@127.0.0.1:1/db`,
      says: /cannot be reached: postgres:\/\/127\.0\.0\.1:1\/db\./,
      code: 3
    },
    { url: "postgres://127.0.0.1:1/db?password=s3cret", says: /cannot be reached/, code: 3 },
    { url: "postgresql://me@/db?host=/nonexistent", says: /There is no socket in this directory/, code: 3 },
    {
      url: "sqlite:missing/a.db",
      says: /There is no database sqlite:missing\/a\.db\. Create it with/,
      code: 3
    },
    { url: "sqlite:package.json", says: /package\.json is not a SQLite database/, code: 3 }
  ])("is refused with a sentence: $url", ({ code, says, url }) =>
    Effect.gen(function* () {
      const result = yield* command(["status", "--database", url])
      expect(result.stderr).toMatch(says)
      expect(result.stderr).not.toContain("s3cret")
      expect(result.code).toBe(code)
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.live("also comes from ARTA_DATABASE_URL, and no message repeats it", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* command(["runner"], {
        env: { ARTA_DATABASE_URL: "mysql://me:s3cret@host/db", ARTA_API_KEY: "any" }
      })
      expect(stderr).toMatch(/^ARTA_DATABASE_URL must be sqlite:FILE/)
      expect(stderr).not.toContain("s3cret")
      expect(code).toBe(3)
    })
  )

  it.live("belongs to --database only if it looks like one", () =>
    Effect.gen(function* () {
      const { stderr } = yield* command(["batch", "--database", "package.json", "a.txt"])
      expect(stderr).toBe("batch takes one FILE, but got 2: package.json a.txt.\n")
    })
  )
})
