import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import type { Environment } from "../../support/command.js"
import { command, lines, started } from "../../support/command.js"
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
  const run = (...args: ReadonlyArray<string>) => command([...args, ...database], { env })
  const isSaved = Effect.map(run("status", "p"), ({ stdout }) => stdout.includes("2 of 2 saved"))
  return {
    ...world,
    path,
    database,
    isSaved,
    run,
    start: (...args: ReadonlyArray<string>) => started(["runner", ...database, ...args], { env })
  }
})

const moveElsewhere = (prefix: string) => [
  `UPDATE ${prefix}batches SET settings = json_set(settings, '$.host', 'else\u001bwhere')`
]

/** As a program that uses the library would have enqueued it. */
const withoutSettings = (prefix: string) => [`UPDATE ${prefix}batches SET settings = '{}'`]

const imagesIn = (names: ReadonlyArray<string>) => names.filter((name) => name.endsWith(".png"))

describe.concurrent("effect-arta runner", { timeout }, () => {
  it.scopedLive("runs no batch whose directory is on another machine, unless it is told where to save", () =>
    Effect.gen(function* () {
      const { directory, edit, emulator, fs, images, isSaved, run, saved, start } = yield* stopped
      const before = yield* saved
      yield* edit(moveElsewhere)
      const { submit } = yield* emulator.counts
      const refused = yield* run("runner")
      expect(refused.code).toBe(3)
      expect(refused.stderr).toMatch(
        /The batch p-[0-9a-f]{8} saves to \S+images on else\\u001bwhere, which is another machine\. Name the directory for the images on this one: -o DIR$/m
      )
      // A row that another runner has now may be queued again.
      yield* edit((prefix) => [`UPDATE ${prefix}rows SET state = 'running', runner = 'x' WHERE state = 'queued'`])
      expect((yield* run("runner")).stderr).toBe(refused.stderr)
      yield* edit((prefix) => [`UPDATE ${prefix}rows SET state = 'queued', runner = NULL WHERE state = 'running'`])
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
      const journal = yield* fs.readFileString(`${images}/effect-arta.jsonl`)
      expect(journal).toMatch(/"[^"]*p-[0-9a-f]{8}\/an-owl-\d+"/)
    }).pipe(onPort())
  )

  it.scopedLive("saves the batch of another program where it is told to, with the settings in the images", () =>
    Effect.gen(function* () {
      const { directory, edit, fs, isSaved, start } = yield* stopped
      yield* edit(withoutSettings)
      // Without a journal, only the gallery knows less.
      yield* fs.makeDirectory(`${directory}/here/effect-arta.jsonl`, { recursive: true })
      const runner = yield* start("-o", `${directory}/here`)
      yield* until(isSaved)
      yield* runner.interrupt
      expect((yield* runner.ended).stderr).toMatch(/level=WARN .*The gallery will lack the details of new images: /)
      const names = imagesIn(yield* fs.readDirectory(`${directory}/here`))
      expect(names.length).toBeGreaterThan(0)
      for (const name of names) {
        expect(Buffer.from(yield* fs.readFile(`${directory}/here/${name}`)).includes("parameters")).toBe(true)
      }
    }).pipe(onPort())
  )

  it.scopedLive("ends with the generation that it cannot save, if a batch was moved after its start", () =>
    Effect.gen(function* () {
      const { edit, emulator, start } = yield* stopped
      yield* edit((prefix) => [`UPDATE ${prefix}rows SET state = 'saved'`])
      const runner = yield* start()
      yield* runner.wrote(/message=started/)
      yield* edit((prefix) => [
        ...moveElsewhere(prefix),
        `UPDATE ${prefix}rows SET state = 'queued', outcome = NULL WHERE row = 1`
      ])
      const { code, stderr } = yield* runner.ended
      expect(code).toBe(3)
      expect(stderr).toMatch(
        /^Could not save the images of the generation record-\S+ to p-[0-9a-f]{8}: The batch p-[0-9a-f]{8} saves to .*another machine\./m
      )
      expect((yield* emulator.counts).submit).toBeLessThanOrEqual(3)
    }).pipe(onPort())
  )

  it.scopedLive("ends with the reason for which the service refuses all rows", () =>
    Effect.gen(function* () {
      const { edit, emulator, file, images, run } = yield* stopped
      const path = yield* file("more.txt", "1\n2\n3\n4\n")
      const refuse = emulator.inject(Fault.respond("submit", 402, { body: { detail: "Not enough credits" } }))
      yield* Effect.repeatN(refuse, 2)
      expect((yield* run("batch", path, "-o", images, "-c", "1")).code).toBe(4)
      yield* edit(withoutSettings)
      yield* Effect.repeatN(refuse, 2)
      const { code, stderr } = yield* run("runner", "-c", "1")
      expect(code).toBe(4)
      expect(lines(stderr).at(-1)).toBe(
        "The service returned HTTP 402 while submitting the generation: Not enough credits."
      )
    }).pipe(onPort())
  )

  it.live.each(["-c", "--submissions"])("needs %s of at least 1", (flag) =>
    Effect.gen(function* () {
      const { code, stderr } = yield* command(["runner", flag, "0"])
      expect(code).toBe(2)
      expect(stderr).toContain("a whole number greater than 0")
    })
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

  it.scopedLive("names the database and the service of the runner only if they are not found without", () =>
    Effect.gen(function* () {
      const { database, directory, edit, env, file, images } = yield* stopped
      const path = yield* file("q.txt", "a fox\n")
      expect((yield* command(["batch", path, "-o", images, "--database", "--emulator"])).code).toBe(0)
      const outcome = '{"_tag":"Unknown","reason":"no response"}'
      yield* edit((prefix) => [`UPDATE ${prefix}rows SET state = 'unknown', outcome = '${outcome}'`])
      const queued = (args: ReadonlyArray<string>, variables: Environment) =>
        Effect.map(command(["retry", "--unknown", "--yes", ...args], { env: variables }), ({ stderr }) =>
          stderr.split("A runner submits them: ").at(-1)?.replaceAll(directory, "DIR").replaceAll("\\", "")
        )
      expect(yield* queued(["p"], { ...env, ARTA_DATABASE_URL: database[1] })).toBe("effect-arta runner\n")
      expect(yield* queued(["q", "--emulator", ...database], {})).toBe(
        "effect-arta runner --database sqlite:DIR/images/effect-arta.db --emulator\n"
      )
    }).pipe(onPort())
  )
})
