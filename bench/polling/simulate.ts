import { Clock, Effect, Fiber, Random, TestClock, TestContext } from "effect"
import { Arta, ArtaApi } from "effect-arta"
import { inVirtualTime, timedService } from "../../test/support/timedService.js"
import type { Case, StageDistributions } from "./durations.js"
import type { Policy } from "./policies.js"

/** One generation to simulate. Times are whole milliseconds. */
export interface Job {
  readonly stages: StageDistributions
  readonly queue: number
  readonly generating: number
}

/** The result of one generation. Times are seconds. */
export interface Result {
  readonly duration: number
  /** The time from the end of the generation to the poll that notices it. */
  readonly lag: number
  readonly polls: number
}

const toMillis = (seconds: number) => Math.max(1, Math.round(seconds * 1_000))

/** Samples the generations of one program. The same seed gives every policy the same generations. */
export const sampleJobs = ({ stages }: Case, count: number, seed: number): ReadonlyArray<Job> =>
  Effect.forEach(Array.from({ length: count }), (_, index) => {
    const current = stages(index / count)
    return Effect.all({
      stages: Effect.succeed(current),
      queue: current.queue === undefined ? Effect.succeed(0) : Effect.map(current.queue.sample, toMillis),
      generating: Effect.map(current.generating.sample, toMillis)
    })
  }).pipe(Effect.withRandom(Random.make(seed)), Effect.runSync)

/** Runs the generations of one program one after the other through `Arta.run`. */
const runJobs = (policy: Policy, jobs: ReadonlyArray<Job>, roundTrip = 0) => {
  const timed = jobs.map(({ generating, queue }) => ({ queue, drawing: generating }))
  const { polls, service } = timedService(timed, roundTrip)
  return Effect.forEach(jobs, ({ generating, queue, stages }, index) =>
    Effect.gen(function* () {
      const start = yield* Clock.currentTimeMillis
      yield* Arta.run({ prompt: "a lighthouse", seed: 1 }, { polling: policy.polling(stages), timeout: "1 day" })
      const elapsed = (yield* Clock.currentTimeMillis) - start
      const duration = queue + generating
      const lag = elapsed - roundTrip / 2 - duration
      return { duration: duration / 1_000, lag: lag / 1_000, polls: polls[index]?.length ?? 0 }
    })
  ).pipe(
    // Nothing reads the spans here, and creating them takes much of the time.
    Effect.withTracerEnabled(false),
    Effect.provideService(ArtaApi.ArtaApi, service)
  )
}

/** Runs a program in virtual time, with a round trip in milliseconds. A poll takes microseconds. */
export const simulate = (policy: Policy, jobs: ReadonlyArray<Job>, roundTrip = 0): Promise<ReadonlyArray<Result>> =>
  inVirtualTime(runJobs(policy, jobs, roundTrip))

/** Runs a program under `TestClock`. A poll takes milliseconds. */
export const simulateOnTestClock = (policy: Policy, jobs: ReadonlyArray<Job>): Promise<ReadonlyArray<Result>> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(runJobs(policy, jobs))
    yield* TestClock.adjust("1 day")
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
