import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { command, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"
import { until } from "../../support/mcpWorld.js"

/** A batch of two rows that is stopped before it has ended. */
const stopped = Effect.gen(function* () {
  const world = yield* batch
  const { env, file, images } = world
  const database = ["--database", `sqlite:${images}/effect-arta.db`]
  const path = yield* file("p.txt", "a fox\nan owl\n")
  const first = yield* started(["batch", path, "-o", images, "--database", "-c", "1"], { env })
  yield* first.wrote(/^Batch p-/m)
  yield* first.interrupt
  yield* first.ended
  const moveElsewhere = Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const [table] = yield* sql<{ readonly name: string }>`
      SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%batches'`
    yield* sql`UPDATE ${sql(table?.name ?? "")} SET settings = json_set(settings, '$.host', 'else\u001bwhere')`
  }).pipe(Effect.provide(SqliteClient.layer({ filename: `${images}/effect-arta.db` })))
  const run = (...args: ReadonlyArray<string>) => command([...args, ...database], { env })
  const isSaved = Effect.map(run("status", "p"), ({ stdout }) => stdout.includes("2 of 2 saved"))
  return {
    ...world,
    path,
    database,
    isSaved,
    moveElsewhere,
    run,
    start: (...args: ReadonlyArray<string>) => started(["runner", ...database, ...args], { env })
  }
})

const imagesIn = (names: ReadonlyArray<string>) => names.filter((name) => name.endsWith(".png"))

describe.concurrent("effect-arta runner", { timeout }, () => {
  it.scopedLive("runs no batch whose directory is on another machine, unless it is told where to save", () =>
    Effect.gen(function* () {
      const { directory, emulator, fs, images, isSaved, moveElsewhere, run, saved, start } = yield* stopped
      const before = yield* saved
      yield* moveElsewhere
      const { submit } = yield* emulator.counts
      const refused = yield* run("runner")
      expect(refused.code).toBe(3)
      expect(refused.stderr).toMatch(
        /The batch p-[0-9a-f]{8} saves to \S+images on else\\u001bwhere, which is another machine\. Name the directory for the images on this one: -o DIR$/m
      )
      expect((yield* emulator.counts).submit).toBe(submit)

      const runner = yield* start("-o", `${directory}/here`)
      yield* until(isSaved)
      yield* runner.interrupt
      expect((yield* runner.ended).code).toBe(130)
      const here = imagesIn(yield* fs.readDirectory(`${directory}/here`))
      expect(here.length + before.length).toBe(2)
      expect(imagesIn(yield* fs.readDirectory(images))).toHaveLength(before.length)

      // Nothing is left to save, so it does not matter where.
      const idle = yield* start()
      yield* idle.wrote(/message=started/)
      yield* idle.interrupt
      expect((yield* idle.ended).stderr).toMatch(/message=stopped runner=\S+/)
    }).pipe(onPort())
  )

  it.scopedLive("saves as the batch says, or as it is told", () =>
    Effect.gen(function* () {
      const { fs, images, isSaved, saved, start } = yield* stopped
      const before = yield* saved
      const runner = yield* start("--metadata", "none")
      yield* until(isSaved)
      yield* runner.interrupt
      yield* runner.ended
      const added = (yield* saved).filter((name) => !before.includes(name))
      expect(added.length).toBeGreaterThan(0)
      for (const name of added) {
        expect(Buffer.from(yield* fs.readFile(`${images}/${name}`)).includes("parameters")).toBe(false)
      }
      // The gallery knows the prompts from here.
      expect(yield* fs.readFileString(`${images}/effect-arta.jsonl`)).toContain("an owl")
    }).pipe(onPort())
  )

  it.scopedLive("ends if an image cannot be saved, and says why", () =>
    Effect.gen(function* () {
      const { directory, fs, run } = yield* stopped
      yield* fs.writeFileString(`${directory}/file`, "")
      const { code, stderr } = yield* run("runner", "-o", `${directory}/file`)
      expect(code).toBe(3)
      expect(stderr).toContain(`${directory}/file`)
    }).pipe(onPort())
  )
})

describe.concurrent("effect-arta retry", { timeout }, () => {
  it.scopedLive("says what it queued, and which command submits it", () =>
    Effect.gen(function* () {
      const { database, emulator, path, run } = yield* stopped
      yield* emulator.inject(Fault.drop("submit", { handled: true }))
      yield* run("batch", path, "-o", database[1]?.replace(/^sqlite:|\/effect-arta\.db$/g, "") ?? "")
      expect((yield* run("retry", "p")).stderr).toContain(
        "retry needs --unknown: it submits rows again that the service may have accepted already.\n"
      )
      const { code, stderr } = yield* run("retry", "p", "--unknown", "--yes")
      expect(code, stderr).toBe(0)
      expect(stderr).toMatch(
        /^1 row may have been accepted already, and may be paid twice\.\n1 row of p-[0-9a-f]{8} queued again\. A runner submits them: effect-arta runner --database sqlite\\:\S+\n$/
      )
    }).pipe(onPort())
  )
})
