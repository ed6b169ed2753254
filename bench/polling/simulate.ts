import { Clock, Effect, Fiber, Random, TestClock, TestContext } from "effect"
import { Arta, ArtaApi } from "effect-arta"
import { inVirtualTime, timedService } from "../../test/support/timedService.js"
import type { Case, Times } from "./durations.js"
import type { Policy } from "./policies.js"

/** One generation to simulate. Times are whole milliseconds. */
export interface Job {
  readonly times: Times
  readonly queue: number
  readonly drawing: number
}

/** How it went: how long it took in all, how much later that was known, and how many status requests it took. */
export interface Result {
  readonly duration: number
  readonly lag: number
  readonly polls: number
}

const toMillis = (seconds: number) => Math.max(1, Math.round(seconds * 1_000))

/** The generations of one program, the same for every policy. */
export const jobsOf = ({ times }: Case, count: number, seed: number): ReadonlyArray<Job> =>
  Effect.forEach(Array.from({ length: count }), (_, index) => {
    const own = times(index / count)
    return Effect.all({
      times: Effect.succeed(own),
      queue: own.queue === undefined ? Effect.succeed(0) : Effect.map(own.queue.sample, toMillis),
      drawing: Effect.map(own.drawing.sample, toMillis)
    })
  }).pipe(Effect.withRandom(Random.make(seed)), Effect.runSync)

/** A program that runs its generations one after the other, through the library's own stream. */
const programOf = (policy: Policy, jobs: ReadonlyArray<Job>) => {
  const { polls, service } = timedService(jobs)
  return Effect.forEach(jobs, ({ drawing, queue, times }, index) =>
    Effect.gen(function* () {
      const start = yield* Clock.currentTimeMillis
      yield* Arta.run({ prompt: "a lighthouse", seed: 1 }, { polling: policy.polling(times) })
      const taken = (yield* Clock.currentTimeMillis) - start
      const duration = queue + drawing
      return { duration: duration / 1_000, lag: (taken - duration) / 1_000, polls: polls[index]?.length ?? 0 }
    })
  ).pipe(
    // Spans that nobody looks at are a good part of the work.
    Effect.withTracerEnabled(false),
    Effect.provideService(ArtaApi.ArtaApi, service)
  )
}

/** Runs a program in virtual time, where a poll takes microseconds. */
export const simulate = (policy: Policy, jobs: ReadonlyArray<Job>): Promise<ReadonlyArray<Result>> =>
  inVirtualTime(programOf(policy, jobs))

/** The same under `TestClock`, which takes milliseconds for each poll. */
export const simulateOnTestClock = (policy: Policy, jobs: ReadonlyArray<Job>): Promise<ReadonlyArray<Result>> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(programOf(policy, jobs))
    yield* TestClock.adjust("1 day")
    return yield* Fiber.join(fiber)
  }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
