import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Arta, ArtaApi, DurationStore } from "effect-arta"
import type { GenerateRequest } from "effect-arta"
import type { Job } from "./timedService.js"
import { timedService } from "./timedService.js"
import { runToEnd } from "./withEmulator.js"

export const prompt = "a secret garden"
export const job: Job = { queue: 1_000, drawing: 9_000 }
export const lesson = Array.from({ length: 4 }, () => job)

interface Program {
  readonly jobs?: ReadonlyArray<Job>
  readonly apiUrl?: string
  readonly options?: Partial<GenerateRequest.Options>
}

/** Runs generations one after the other, and returns how many polls each took. */
export const run = ({ apiUrl = "https://a.example/api/v1", jobs = [job], options = {} }: Program = {}) =>
  Effect.suspend(() => {
    const { polls, service } = timedService(jobs)
    return Effect.forEach(jobs, () => Arta.run({ prompt, ...options })).pipe(
      Effect.provideService(ArtaApi.ArtaApi, { ...service, apiUrl }),
      runToEnd,
      Effect.map(() => polls.map((ages) => ages.length))
    )
  })

/** A program of its own, with its durations in a file. */
export const inProcess = <A, E, R>(file: string, program: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.flatMap(Layer.build(DurationStore.layerFileSystem(file)), (context) => Effect.provide(program, context))
  )

export const unlearned = Effect.provide(run(), DurationStore.layerMemory)

export const onDisk = <A, E, R>(
  test: (disk: { readonly file: string; readonly fs: FileSystem.FileSystem }) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    return yield* test({ fs, file: `${directory}/durations.json` })
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

export const readJson = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return JSON.parse(yield* fs.readFileString(file)) as {
      version: number
      durations: ReadonlyArray<{ key: string; weights: ReadonlyArray<readonly [number, number]> }>
    }
  })

/** How many lessons a file holds of some keys, of which each counts a little less than the next. */
export const totalWeight = (file: string, prefix: string) =>
  Effect.map(readJson(file), ({ durations }) =>
    durations
      .filter(({ key }) => key.startsWith(prefix))
      .flatMap(({ weights }) => weights.map(([, weight]) => weight))
      .reduce((sum, weight) => sum + weight, 0)
  )

export const keysIn = (file: string) => Effect.map(readJson(file), ({ durations }) => durations.map(({ key }) => key))
