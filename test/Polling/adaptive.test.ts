import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, Random, Stream } from "effect"
import type { GenerateRequest } from "effect-arta"
import { Arta, ArtaApi, Polling } from "effect-arta"
import type { Job } from "../support/timedService.js"
import { inVirtualTime, timedService } from "../support/timedService.js"

const cat = { prompt: "a cat", seed: 12_345 }

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)
const mean = (values: ReadonlyArray<number>) => sum(values) / values.length

interface Seen {
  /** How many milliseconds after the end of the generation a poll found it. */
  readonly lag: number
  /** How many milliseconds passed before each poll, since the previous one or the submission. */
  readonly pauses: ReadonlyArray<number>
}

/** Runs generations one after the other, on a new service. */
const runAll = (
  jobs: ReadonlyArray<Job>,
  settings: Arta.Settings = {},
  options: Partial<GenerateRequest.Options> = {}
): Effect.Effect<ReadonlyArray<Seen>> =>
  Effect.suspend(() => {
    const { polls, service } = timedService(jobs)
    return Effect.forEach(jobs, ({ drawing, queue = 0 }, index) =>
      Effect.map(Effect.either(Arta.run({ ...cat, ...options }, { timeout: "1 hour", ...settings })), () => {
        const ages = polls[index] ?? []
        return {
          lag: (ages.at(-1) ?? 0) - queue - drawing,
          pauses: ages.map((age, i) => age - (ages[i - 1] ?? 0))
        }
      })
    ).pipe(Effect.provideService(ArtaApi.ArtaApi, service))
  })

const around = (millis: number, count: number): ReadonlyArray<Job> =>
  Effect.replicateEffect(Random.nextRange(0.7, 1.3), count).pipe(
    Effect.map((factors) => factors.map((factor) => ({ drawing: Math.round(millis * factor) }))),
    Effect.withRandom(Random.make(millis)),
    Effect.runSync
  )

const repeated = (job: Job, count: number): ReadonlyArray<Job> => Array.from({ length: count }, () => job)

const lag = (seen: ReadonlyArray<Seen>) => mean(seen.map((each) => each.lag))
const polls = (seen: ReadonlyArray<Seen>) => mean(seen.map(({ pauses }) => pauses.length))
const pauses = (seen: ReadonlyArray<Seen>) => seen.flatMap((each) => each.pauses)

/** How a program without a history polls a long generation. */
const fresh = runAll([{ queue: 3_000, drawing: 60_000 }])

// Thousands of simulated generations.
describe("what Polling.adaptive learns", { timeout: 60_000 }, () => {
  it("reduces both the polls and the lag", async () => {
    const jobs = around(20_000, 60)
    const after = (await inVirtualTime(runAll(jobs))).slice(30)
    const before = (await Promise.all(jobs.slice(30).map((job) => inVirtualTime(runAll([job]))))).flat()
    expect(polls(after)).toBeLessThan(0.95 * polls(before))
    expect(lag(after)).toBeLessThan(0.8 * lag(before))
  })

  it("causes less lag than a fixed interval with as many polls", async () => {
    const jobs = around(10_000, 80)
    const seen = (await inVirtualTime(runAll(jobs))).slice(30)
    const polling = Polling.fixed(Math.round(10_000 / (polls(seen) - 1.5)))
    const fixed = (await inVirtualTime(runAll(jobs, { polling }))).slice(30)
    expect(polls(fixed)).toBeGreaterThan(polls(seen) - 0.5)
    expect(lag(seen)).toBeLessThan(0.6 * lag(fixed))
  })

  it("includes generations that another schedule polls", async () => {
    const jobs = repeated({ drawing: 20_000 }, 10)
    const learned = await inVirtualTime(
      Effect.zipRight(runAll(jobs, { polling: Polling.fixed("250 millis") }), runAll(jobs.slice(0, 1)))
    )
    const unlearned = await inVirtualTime(runAll(jobs.slice(0, 1)))
    expect(polls(learned)).toBeLessThan(0.6 * polls(unlearned))
  })

  it("adapts when durations change, in either direction", async () => {
    const seen = await inVirtualTime(runAll([...around(20_000, 40), ...around(3_000, 40), ...around(20_000, 40)]))
    expect(lag(seen.slice(45, 80))).toBeLessThan(500)
    expect(polls(seen.slice(45, 80))).toBeLessThan(8)
    expect(lag(seen.slice(90))).toBeLessThan(900)
    expect(polls(seen.slice(90))).toBeLessThan(16)
  })

  it("keeps both peaks of a bimodal distribution", async () => {
    const jobs = around(3_000, 60).flatMap((fast, i) => [fast, ...around(20_000 + i, 1)])
    const seen = (await inVirtualTime(runAll(jobs))).slice(30)
    const slow = seen.filter((_, i) => i % 2 === 1)
    // Few generations end between the two peaks, so one long interval is optimal there.
    expect(mean(slow.map((each) => Math.max(...each.pauses)))).toBeGreaterThan(4_000)
    expect(lag(seen)).toBeLessThan(800)
  })

  it("excludes failed generations", async () => {
    const failing = runAll(repeated({ drawing: 100, fails: true }, 20))
    const slow = runAll([{ drawing: 60_000 }])
    expect(await inVirtualTime(Effect.zipRight(failing, slow))).toEqual(await inVirtualTime(slow))
  })
})

describe("a history", () => {
  const lesson = runAll(repeated({ queue: 3_000, drawing: 10_000 }, 20))

  it("is separate for each model and number of images", async () => {
    const unlearned = await inVirtualTime(fresh)
    const job = [{ queue: 3_000, drawing: 60_000 }]
    expect(await inVirtualTime(Effect.zipRight(lesson, runAll(job)))).not.toEqual(unlearned)
    expect(await inVirtualTime(Effect.zipRight(lesson, runAll(job, {}, { n: 2 })))).toEqual(unlearned)
    expect(await inVirtualTime(Effect.zipRight(lesson, runAll(job, {}, { model: "anime" })))).toEqual(unlearned)
  })

  it("is shared between services, but not between clocks", async () => {
    const unlearned = await inVirtualTime(fresh)
    expect(await inVirtualTime(Effect.zipRight(lesson, fresh))).not.toEqual(unlearned)
    expect(await inVirtualTime(fresh)).toEqual(unlearned)
  })

  it("is separate with Polling.layerHistory", async () => {
    const separate = Effect.provide(fresh, Polling.layerHistory)
    expect(await inVirtualTime(Effect.zipRight(lesson, separate))).toEqual(await inVirtualTime(fresh))
  })

  it("separates the queue from the generation itself", async () => {
    const queues = [0, 5_000, 15_000, 30_000, 2_000, 9_000]
    const jobs = Array.from({ length: 48 }, (_, i) => ({ queue: queues[i % 6] ?? 0, drawing: 10_000 }))
    const seen = (await inVirtualTime(runAll(jobs))).slice(36)
    expect(lag(seen)).toBeLessThan(500)
    const withoutQueue = seen.filter((_, i) => i % 6 === 0)
    expect(Math.max(...pauses(withoutQueue))).toBeGreaterThan(6_000)
  })
})

describe("the intervals of Polling.adaptive", () => {
  it("are at most eight seconds, or the given maximum", async () => {
    const lesson = runAll(around(4_000, 30))
    const slow = [{ queue: 90_000, drawing: 3_000_000 }]
    const seen = await inVirtualTime(Effect.zipRight(lesson, runAll(slow)))
    expect(Math.max(...pauses(seen))).toBe(8_000)
    expect(pauses(seen).at(-1)).toBe(8_000)
    const polling = Polling.adaptive({ min: "1 second", max: "3 seconds" })
    const impatient = await inVirtualTime(Effect.zipRight(lesson, runAll(slow, { polling })))
    expect(Math.max(...pauses(impatient))).toBe(3_000)
    expect(Math.min(...pauses(impatient))).toBeGreaterThanOrEqual(1_000)
  })

  it("are shorter with a higher lagCost", async () => {
    const [patient, impatient] = await Promise.all(
      [5, 80].map((lagCost) => inVirtualTime(runAll(around(10_000, 60), { polling: Polling.adaptive({ lagCost }) })))
    )
    const ratio = polls(impatient?.slice(30) ?? []) / polls(patient?.slice(30) ?? [])
    expect(ratio).toBeGreaterThan(2)
    expect(lag(impatient?.slice(30) ?? [])).toBeLessThan(0.4 * lag(patient?.slice(30) ?? []))
  })

  const millis = FastCheck.oneof(
    { weight: 5, arbitrary: FastCheck.integer({ min: 0, max: 20_000 }) },
    { weight: 1, arbitrary: FastCheck.integer({ min: 0, max: 3_000_000 }) }
  )
  const jobs = FastCheck.array(FastCheck.record({ queue: millis, drawing: millis }), { maxLength: 8 })
  const lagCost = FastCheck.oneof(
    FastCheck.double({ min: 0, max: 1_000 }),
    FastCheck.constantFrom(Number.NaN, -1, 1e-300, 1e300, Number.POSITIVE_INFINITY)
  )

  it("stay within their bounds after any history", { timeout: 120_000 }, () =>
    FastCheck.assert(
      FastCheck.asyncProperty(jobs, lagCost, async (history, cost) => {
        const polling = Polling.adaptive({ lagCost: cost, max: "2 minutes" })
        const lesson = runAll(history, { polling: Polling.adaptive({ lagCost: 1, max: "2 minutes" }) })
        const job = [{ queue: 4_000, drawing: 6_000 }]
        const seen = await inVirtualTime(Effect.zipRight(lesson, runAll(job, { polling })))
        for (const pause of pauses(seen)) {
          expect(pause).toBeGreaterThanOrEqual(100)
          expect(pause).toBeLessThanOrEqual(120_000)
        }
        expect(pauses(seen).length).toBeGreaterThan(0)
      }),
      { numRuns: 25, seed: 7 }
    )
  )
})

describe("a resumed generation", () => {
  const watchLate = (jobs: ReadonlyArray<Job>, age: number) =>
    Effect.suspend(() => {
      const { polls: seen, service } = timedService(jobs)
      return Effect.gen(function* () {
        const api = yield* ArtaApi.ArtaApi
        for (const [index] of jobs.entries()) {
          const submitted = yield* Effect.flatten(Stream.runHead(Arta.generate(cat)))
          yield* Effect.sleep(age)
          yield* Stream.runDrain(Arta.watch(submitted.recordId, { timeout: "1 hour" }))
          expect((yield* api.status(submitted.recordId))._tag, String(index)).toBe("Done")
        }
        return seen.map((ages) => ages.slice(0, -1))
      }).pipe(Effect.provide(Layer.succeed(ArtaApi.ArtaApi, service)))
    })

  it("is polled as if it may end at any time", async () => {
    const lesson = runAll(around(20_000, 20))
    const [ages = []] = await inVirtualTime(Effect.zipRight(lesson, watchLate([{ drawing: 21_000 }], 20_000)))
    expect(ages[0]).toBe(20_000)
    expect(ages[1]).toBeLessThan(22_500)
  })

  it("is not recorded", async () => {
    const lesson = watchLate(repeated({ drawing: 40_000 }, 10), 35_000)
    expect(await inVirtualTime(Effect.zipRight(lesson, fresh))).toEqual(await inVirtualTime(fresh))
  })
})
