import { FileSystem, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel } from "effect"
import { Arta, ArtaApi, DurationStore } from "effect-arta"
import type { GenerateRequest } from "effect-arta"
import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import type { Step } from "../support/failingDisk.js"
import { failing } from "../support/failingDisk.js"
import type { Job } from "../support/timedService.js"
import { timedService } from "../support/timedService.js"
import { runToEnd } from "../support/withEmulator.js"

const prompt = "a secret garden"
const job: Job = { queue: 1_000, drawing: 9_000 }
const lesson = Array.from({ length: 4 }, () => job)

interface Program {
  readonly jobs?: ReadonlyArray<Job>
  readonly apiUrl?: string
  readonly options?: Partial<GenerateRequest.Options>
}

/** Runs generations one after the other, and returns how many polls each took. */
const run = ({ apiUrl = "https://a.example/api/v1", jobs = [job], options = {} }: Program = {}) =>
  Effect.suspend(() => {
    const { polls, service } = timedService(jobs)
    return Effect.forEach(jobs, () => Arta.run({ prompt, ...options })).pipe(
      Effect.provideService(ArtaApi.ArtaApi, { ...service, apiUrl }),
      runToEnd,
      Effect.map(() => polls.map((ages) => ages.length))
    )
  })

/** A program of its own, with its durations in a file. */
const inProcess = <A, E, R>(file: string, program: Effect.Effect<A, E, R>) =>
  Effect.scoped(
    Effect.flatMap(Layer.build(DurationStore.layerFileSystem(file)), (context) => Effect.provide(program, context))
  )

const unlearned = Effect.provide(run(), DurationStore.layerMemory)

const onDisk = <A, E, R>(
  test: (disk: { readonly file: string; readonly fs: FileSystem.FileSystem }) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    return yield* test({ fs, file: `${directory}/durations.json` })
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

const readJson = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return JSON.parse(yield* fs.readFileString(file)) as {
      version: number
      durations: ReadonlyArray<{ key: string; weights: ReadonlyArray<readonly [number, number]> }>
    }
  })

const keysIn = (file: string) => Effect.map(readJson(file), ({ durations }) => durations.map(({ key }) => key))

describe("DurationStore.layerMemory", () => {
  it.effect("separates the durations of a part of a program", () =>
    Effect.gen(function* () {
      const cold = yield* unlearned
      yield* run({ jobs: lesson })
      expect(yield* unlearned).toEqual(cold)
      expect(yield* run()).not.toEqual(cold)
    })
  )
})

describe.concurrent("DurationStore.layerFileSystem", () => {
  it.effect("lets a program start with what an earlier one has learned", () =>
    onDisk(({ file }) =>
      Effect.gen(function* () {
        const [cold = 0] = yield* unlearned
        yield* inProcess(file, run({ jobs: lesson }))
        const [warm = 0] = yield* inProcess(file, run())
        expect(warm).toBeLessThan(0.7 * cold)
      })
    )
  )

  it.effect("applies to the functions that Arta.make binds, unless their caller has a history", () =>
    onDisk(({ file }) =>
      Effect.gen(function* () {
        const [cold = 0] = yield* unlearned
        yield* inProcess(file, run({ jobs: lesson }))
        const { polls, service } = timedService([job, job])
        const arta = yield* inProcess(
          file,
          Effect.provideService(Arta.make, ArtaApi.ArtaApi, { ...service, apiUrl: "https://a.example/api/v1" })
        )
        yield* runToEnd(arta.run({ prompt }))
        yield* runToEnd(Effect.provide(arta.run({ prompt }), DurationStore.layerMemory))
        expect(polls[0]?.length).toBeLessThan(0.7 * cold)
        expect(polls[1]?.length).toBe(cold)
      })
    )
  )

  it.effect("separates API URLs, models and numbers of images", () =>
    onDisk(({ file }) =>
      Effect.gen(function* () {
        const cold = yield* unlearned
        yield* inProcess(file, run({ jobs: lesson }))
        expect(yield* inProcess(file, run({ apiUrl: "https://b.example/api/v1" }))).toEqual(cold)
        expect(yield* inProcess(file, run({ options: { model: "anime" } }))).toEqual(cold)
        expect(yield* inProcess(file, run({ options: { n: 2 } }))).toEqual(cold)
        expect(yield* inProcess(file, run())).not.toEqual(cold)
      })
    )
  )

  // fault: Store | Two processes learn durations at the same time | the file holds the lessons of both
  it.effect("keeps what programs learn at the same time", () =>
    onDisk(({ file }) =>
      Effect.gen(function* () {
        const [cold = 0] = yield* unlearned
        yield* inProcess(
          file,
          Effect.gen(function* () {
            yield* inProcess(file, run({ jobs: lesson, options: { n: 2 } }))
            yield* inProcess(file, run({ jobs: lesson.slice(2) }))
            yield* run({ jobs: lesson.slice(2), options: { n: 2 } })
            yield* run({ jobs: lesson.slice(3) })
          })
        )
        const [warm = 0] = yield* inProcess(file, run())
        const [other = 0] = yield* inProcess(file, run({ options: { n: 2 } }))
        expect(warm).toBeLessThan(0.7 * cold)
        expect(other).toBeLessThan(0.7 * cold)
        const total = (yield* readJson(file)).durations
          .filter(({ key }) => key.startsWith("InProgress 2 "))
          .flatMap(({ weights }) => weights.map(([, weight]) => weight))
          .reduce((sum, weight) => sum + weight, 0)
        // Four and two lessons, of which each keeps a little less of those before it.
        expect(total).toBeGreaterThan(5)
      })
    )
  )

  it.effect("is private, leaves nothing else behind, and holds neither prompts nor ids", () =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        const nested = file.replace("durations.json", "deep/durations.json")
        yield* inProcess(nested, run({ jobs: lesson }))
        expect((yield* fs.stat(nested)).mode & 0o777).toBe(0o600)
        const directory = nested.replace("/durations.json", "")
        expect((yield* fs.stat(directory)).mode & 0o777).toBe(0o700)
        expect(yield* fs.readDirectory(directory)).toEqual(["durations.json"])
        const text = yield* fs.readFileString(nested)
        expect(text).not.toContain("secret")
        expect(text.length).toBeLessThan(2_000)
        expect(Object.keys((yield* readJson(nested)).durations[0] ?? {})).toEqual(["key", "weights"])
      })
    )
  )

  it.effect("keeps the 100 kinds of stages that it learned last", () =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        const durations = Array.from({ length: 100 }, (_, i) => ({ key: `old ${String(i)}`, weights: [[20, 1]] }))
        yield* fs.writeFileString(file, JSON.stringify({ version: 1, durations }))
        yield* inProcess(file, run())
        const keys = yield* keysIn(file)
        expect(keys).toHaveLength(100)
        expect(keys[0]).toBe("old 2")
        expect(keys.at(-1)).toMatch(/^InProgress 1 .* https:\/\/a\.example\/api\/v1$/)
      })
    )
  )

  const ofVersion = (version: unknown, weights: unknown = [[20, 1]]) =>
    JSON.stringify({ version, durations: [{ key: "k", weights }] })

  // fault: Store | The file of durations is damaged | it is replaced
  it.effect.each<[string, string]>([
    ["is empty", ""],
    ["is cut short", ofVersion(1).slice(0, -5)],
    ["is binary", "\u0000\u0001"],
    ["lacks its durations", JSON.stringify({ version: 1 })],
    ["has a negative weight", ofVersion(1, [[20, -1]])],
    ["has an infinite weight", ofVersion(1, [[20, 1]]).replace("[20,1]", "[20,1e999]")],
    [
      "has too much weight",
      ofVersion(1, [
        [20, 90],
        [21, 90]
      ])
    ],
    ["has an unknown bucket", ofVersion(1, [[100, 1]])],
    ["has a key that is not a text", JSON.stringify({ version: 1, durations: [{ key: 1, weights: [] }] })]
  ])("replaces a file that %s", ([, text]) =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, text)
        expect(yield* inProcess(file, run())).toEqual(yield* unlearned)
        expect(yield* keysIn(file)).toHaveLength(2)
      })
    )
  )

  // fault: Store | The file of durations is of another version or program | it is left unchanged
  it.effect.each<[string, string]>([
    ["of a later version", ofVersion(2)],
    ["of a strange version", ofVersion("1")],
    ["of another program", JSON.stringify({ breakfast: "20 minutes" })],
    ["of another program, a list", "[1]"],
    ["that is huge", ofVersion(1).padEnd(2_000_000)]
  ])("neither uses nor replaces a file %s", ([, text]) =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, text)
        expect(yield* inProcess(file, run())).toEqual(yield* unlearned)
        expect(yield* fs.readFileString(file)).toBe(text)
      })
    )
  )

  // fault: Store | A directory or a pipe in the place of the file of durations | nothing
  it.effect.each<[string, (file: string) => void]>([
    [
      "a directory",
      (file) => {
        mkdirSync(file)
      }
    ],
    ["a pipe", (file) => execFileSync("sh", ["-c", 'mkfifo "$0"', file])]
  ])("does not wait for %s in its place", ([, make]) =>
    onDisk(({ file }) =>
      Effect.gen(function* () {
        make(file)
        expect(yield* inProcess(file, run())).toEqual(yield* unlearned)
      })
    )
  )

  // fault: Store | The file of durations cannot be read or written | nothing, except for a debug log
  it.effect.each<Step>(["read", "makeDirectory", "open", "write", "sync", "rename"])(
    "fails no generation if the disk refuses to %s",
    (step) =>
      onDisk(({ file, fs }) =>
        Effect.gen(function* () {
          yield* inProcess(file, run({ options: { n: 2 } }))
          const before = yield* fs.readFileString(file)
          const logs: Array<string> = []
          const logger = Logger.make(({ logLevel }) => {
            logs.push(logLevel.label)
          })
          const refusing = failing(fs, { on: [step], failure: "permission denied" })
          const [cold] = yield* unlearned
          const [first, second = 0] = yield* inProcess(file, run({ jobs: [job, ...lesson] })).pipe(
            Effect.provideService(FileSystem.FileSystem, refusing),
            Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
            Logger.withMinimumLogLevel(LogLevel.Debug)
          )
          expect(first).toBe(cold)
          expect(second).toBeLessThan(first ?? 0)
          expect(new Set(logs)).toEqual(new Set(["DEBUG"]))
          expect(yield* fs.readFileString(file)).toBe(before)
          const path = yield* Path.Path
          expect(yield* fs.readDirectory(path.dirname(file))).toEqual(["durations.json"])
        })
      )
  )
})
