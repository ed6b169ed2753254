import { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { Arta, ArtaApi, DurationStore } from "effect-arta"
import {
  inProcess,
  job,
  keysIn,
  lesson,
  onDisk,
  prompt,
  readJson,
  run,
  totalWeight,
  unlearned
} from "../support/durations.js"
import { timedService } from "../support/timedService.js"
import { runToEnd } from "../support/withEmulator.js"

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
        const total = yield* totalWeight(file, "InProgress 2 ")
        expect(total).toBeGreaterThan(6)
        expect(total).toBeLessThanOrEqual(4 + 2 + 1)
      })
    )
  )

  it.effect("is written while the program runs, but not after every generation", () =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        const writes = yield* Queue.unbounded<string>()
        const rename: typeof fs.rename = (from, to) => Effect.zipRight(fs.rename(from, to), Queue.offer(writes, to))
        const { service } = timedService(Array.from({ length: 3 }, () => ({ drawing: 1_000 })))
        const generation = runToEnd(Effect.provideService(Arta.run({ prompt }), ArtaApi.ArtaApi, service), "2 seconds")
        yield* inProcess(
          file,
          Effect.gen(function* () {
            yield* generation
            yield* Queue.take(writes)
            yield* generation
            yield* generation
            expect(yield* totalWeight(file, "InProgress")).toBeLessThan(1.5)
          })
        ).pipe(Effect.provideService(FileSystem.FileSystem, { ...fs, rename }))
        expect(yield* totalWeight(file, "InProgress")).toBeGreaterThan(2)
        expect(yield* totalWeight(file, "InProgress")).toBeLessThanOrEqual(3)
      })
    )
  )

  // fault: Store | A generation ends while the file of durations is read | its duration counts once
  it.effect("counts a generation once that ends while the file is read", () =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        const isRead = yield* Effect.makeLatch(false)
        let reads = 0
        // The first read is that of the start, the second one is that of the first save.
        const stat: typeof fs.stat = (path) =>
          path === file && (reads += 1) === 2 ? Effect.zipRight(isRead.await, fs.stat(path)) : fs.stat(path)
        const { service } = timedService([job, job, job])
        const generation = (n: number) =>
          runToEnd(Effect.provideService(Arta.run({ prompt, n }), ArtaApi.ArtaApi, service))
        yield* inProcess(file, Effect.all([generation(1), generation(1), generation(2), isRead.open])).pipe(
          Effect.provideService(FileSystem.FileSystem, { ...fs, stat })
        )
        expect(yield* totalWeight(file, "InProgress 1")).toBeCloseTo(2, 0)
        expect(yield* totalWeight(file, "InProgress 2")).toBeCloseTo(1, 0)
      })
    )
  )

  it.effect("is not written by a program that learns nothing", () =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        yield* inProcess(file, Effect.void)
        expect(yield* fs.exists(file)).toBe(false)
      })
    )
  )

  it.effect("leaves out a service whose URL is too long for a key", () =>
    onDisk(({ file }) =>
      Effect.gen(function* () {
        const long = `https://a.example/${"v".repeat(500)}`
        yield* inProcess(file, Effect.zipRight(run(), run({ apiUrl: long })))
        expect(yield* keysIn(file)).toHaveLength(2)
        expect(yield* inProcess(file, run())).not.toEqual(yield* unlearned)
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
        const { durations } = yield* readJson(nested)
        expect(Object.keys(durations[0] ?? {})).toEqual(["key", "weights"])
        expect(durations.flatMap(({ weights }) => weights).every(([, weight]) => weight > 0)).toBe(true)
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
})
