import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { afterAll, beforeAll, expect, it } from "@effect/vitest"
import { Effect, Random, Schema } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundleProgram, startProgram } from "../support/program.js"

const timeout = 120_000

let bundles: string
let program: string

beforeAll(async () => {
  bundles = await mkdtemp(join(tmpdir(), "effect-arta-"))
  program = await bundleProgram("learnDurations", bundles)
})

afterAll(() => rm(bundles, { recursive: true, force: true }))

const Durations = Schema.parseJson(
  Schema.Struct({
    version: Schema.Literal(1),
    durations: Schema.Array(
      Schema.Struct({ key: Schema.String, weights: Schema.Array(Schema.Tuple(Schema.Number, Schema.Number)) })
    )
  })
)

const setUp = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const file = `${directory}/durations.json`
  const read = Effect.flatMap(fs.readFileString(file), Schema.decode(Durations))
  return { file, read }
})

// fault: Process | SIGKILL while durations are saved | the file stays complete
it.scopedLive(
  "A file of durations is complete whenever its process is killed",
  () =>
    Effect.gen(function* () {
      const { file, read } = yield* setUp
      for (let kills = 0; kills < 12; kills += 1) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const child = yield* startProgram(program, file, "1")
            yield* child.nextLine
            const kill = Effect.zipRight(Effect.flatMap(Random.nextIntBetween(80, 140), Effect.sleep), child.kill)
            yield* Effect.raceFirst(kill, Effect.forever(read))
          })
        )
        expect((yield* read).durations).toHaveLength(1)
      }
    }).pipe(Effect.provide(NodeContext.layer)),
  timeout
)

it.scopedLive(
  "A file of durations holds what two processes learn at the same time",
  () =>
    Effect.gen(function* () {
      const { file, read } = yield* setUp
      const children = yield* Effect.all([startProgram(program, file, "1"), startProgram(program, file, "2")])
      yield* Effect.forEach(children, ({ nextLine }) => Effect.replicateEffect(nextLine, 15), { concurrency: 2 })
      const { durations } = yield* read
      const weights = durations.map((each) => each.weights.reduce((sum, [, weight]) => sum + weight, 0))
      expect(durations.map(({ key }) => key.split(" ")[1]).toSorted()).toEqual(["1", "2"])
      // Of fifteen lessons each, the few that both wrote at the same moment may be lost.
      expect(Math.min(...weights)).toBeGreaterThan(7)
    }).pipe(Effect.provide(NodeContext.layer)),
  timeout
)
