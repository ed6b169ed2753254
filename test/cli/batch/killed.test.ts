import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Option, Random } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { command } from "../../support/command.js"
import { startProcess } from "../../support/commandProcess.js"
import { onPort, setUp } from "../../support/commandWorld.js"
import { runs, seed } from "../../support/suite.js"

const kills = runs({ full: 8, nightly: 20 })
const prompts = Array.makeBy(6, (index) => `animal ${String(index)}`)

/** Starts a batch, kills it at a random moment, and runs it again to the end. */
const killedAndResumed = Effect.gen(function* () {
  const { emulator, env, directory, fs, images } = yield* setUp
  const file = `${directory}/prompts.txt`
  yield* fs.writeFileString(file, prompts.join("\n"))
  const args = ["batch", file, "-o", images]
  const before = yield* emulator.counts

  const child = yield* startProcess(args, { env })
  const journal = `${images}/effect-arta.jsonl`
  yield* Effect.repeat(Effect.zipRight(Effect.sleep("5 millis"), fs.exists(journal)), { until: (isThere) => isThere })
  yield* Effect.sleep(yield* Random.nextRange(0, 1500))
  yield* child.signal("SIGKILL")
  yield* child.ended

  const resumed = yield* command(args, { env })
  const unknown = resumed.stderr.match(/may or may not have accepted/g)?.length ?? 0
  const after = yield* emulator.counts
  // After a kill between a request and its response, no client can find out whether it was accepted.
  expect(after.submit - before.submit).toBeLessThanOrEqual(prompts.length)
  expect(after.submit - before.submit).toBeGreaterThanOrEqual(prompts.length - unknown)
  expect(resumed.code, resumed.stderr).toBe(unknown === 0 ? 0 : 5)

  if (unknown > 0) expect((yield* command([...args, "--retry-failed"], { env })).code).toBe(0)
  const names = (yield* fs.readDirectory(images)).sort()
  const saved = names.flatMap((name) => Option.toArray(Option.fromNullable(/^animal-(\d)-\d+-0\.png$/.exec(name)?.[1])))
  expect(saved).toEqual(prompts.map((_, index) => String(index)))
  expect(names.filter((name) => !/\.(png|tmp)$/.test(name))).toEqual(["effect-arta.jsonl", "index.html"])
  return (yield* emulator.counts).image - before.image
})

describe("A batch killed at any moment", () => {
  it.scopedLive(
    `submits nothing twice and saves all images, ${String(kills)} times`,
    () =>
      Effect.gen(function* () {
        const emulator = yield* ArtaEmulator.ArtaEmulator
        for (let kill = 0; kill < kills; kill += 1) {
          const fetched = yield* Effect.scoped(killedAndResumed)
          expect(fetched).toBeLessThanOrEqual(prompts.length + 4)
        }
        expect((yield* emulator.counts).submit).toBeGreaterThanOrEqual(kills * prompts.length)
      }).pipe(Effect.withRandom(Random.make(seed)), onPort({ queueTime: "100 millis", drawTime: "200 millis" })),
    // Each kill starts and ends a process of its own.
    kills * 30_000
  )
})
