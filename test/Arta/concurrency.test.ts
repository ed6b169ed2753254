import { describe, expect, it } from "@effect/vitest"
import { Array, Deferred, Duration, Effect, Fiber, FiberId, Schedule, Schema, TestClock } from "effect"
import type { GenerateRequest } from "effect-arta"
import { Arta, ArtaApi, ArtaError, Generation, Polling } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { makeSubmitLimiter } from "../../src/internal/artaApi/submitLimiter.js"

const recordId = Schema.decodeSync(Generation.RecordId)
const limit = 32

/** A service that completes generations at once. It counts its submissions, which run the given effect. */
const serviceWith = (submission: (prompt: string) => Effect.Effect<void, ArtaApi.SubmitError>) => {
  const submitted: Array<string> = []
  const inFlight = { now: 0, max: 0 }
  const submit = ({ prompt }: GenerateRequest.GenerateRequest) =>
    Effect.suspend(() => {
      submitted.push(prompt)
      inFlight.now += 1
      inFlight.max = Math.max(inFlight.max, inFlight.now)
      return submission(prompt)
    }).pipe(Effect.ensuring(Effect.sync(() => (inFlight.now -= 1))), Effect.as(recordId(prompt)))
  const status = () =>
    Effect.succeed<Generation.GenerationStatus>({
      _tag: "Done",
      images: [{ index: 0, url: "https://p.example/1.png" }]
    })
  const api = ArtaApi.ArtaApi.of({ submit, status, limitSubmissions: Effect.runSync(makeSubmitLimiter) })
  // Polls at once.
  const polling = Polling.fixed("1 second")
  const run = (prompt: string) => Effect.provideService(Arta.run({ prompt }, { polling }), ArtaApi.ArtaApi, api)
  return { api, run, submitted, inFlight }
}

const prompts = (count: number) => Array.makeBy(count, (index) => `image ${String(index)}`)

describe("Concurrent generations", () => {
  it.effect("submit at most 32 at a time, in order", () =>
    Effect.gen(function* () {
      const { run, submitted, inFlight } = serviceWith(() => Effect.sleep("1 second"))
      const all = prompts(100)
      const fiber = yield* Effect.fork(Effect.forEach(all, run, { concurrency: "unbounded" }))
      yield* TestClock.adjust("500 millis")
      expect(submitted).toEqual(all.slice(0, limit))
      yield* TestClock.adjust("1 second")
      expect(submitted).toEqual(all.slice(0, 2 * limit))
      yield* TestClock.adjust("3 seconds")
      expect(submitted).toEqual(all)
      expect(inFlight).toEqual({ now: 0, max: limit })
      expect(yield* Fiber.join(fiber)).toHaveLength(100)
    })
  )

  it.live("are polled in time, however many others wait for their submission", () =>
    Effect.gen(function* () {
      const { api, submitted } = serviceWith(() => Effect.void)
      const pending = Effect.succeed<Generation.GenerationStatus>({ _tag: "Queued" })
      const polled = new Set<string>()
      // Each generation is done at its second poll.
      const status: typeof api.status = (id) =>
        polled.has(id) ? api.status(id) : Effect.tap(pending, () => polled.add(id))
      const run = (prompt: string) =>
        Arta.run({ prompt }, { polling: Schedule.spaced("1 millis") }).pipe(
          Effect.provideService(ArtaApi.ArtaApi, { ...api, status })
        )
      const submittedByThen = Effect.map(run("first"), () => submitted.length)
      const [first] = yield* Effect.all(
        [submittedByThen, Effect.forEach(prompts(2_000), run, { concurrency: "unbounded" })],
        { concurrency: "unbounded" }
      )
      expect(first).toBeLessThan(1_000)
    })
  )

  it.effect("do not count the wait for the limiter towards their timeout", () =>
    Effect.gen(function* () {
      const { run } = serviceWith(() => Effect.sleep("4 minutes"))
      const fiber = yield* Effect.fork(Effect.forEach(prompts(3 * limit), run, { concurrency: "unbounded" }))
      yield* TestClock.adjust("12 minutes")
      const elapsed = Array.map(yield* Fiber.join(fiber), (generation) => Duration.toSeconds(generation.elapsed))
      expect(Array.dedupe(elapsed)).toEqual([240])
    })
  )

  it.effect("release their permit when they are interrupted or fail", () =>
    Effect.gen(function* () {
      const { run, submitted, inFlight } = serviceWith(() => Effect.sleep("1 second"))
      const fibers = yield* Effect.forEach(prompts(4 * limit), (prompt) => Effect.fork(run(prompt)))
      yield* TestClock.adjust("500 millis")
      const [active, waiting] = [fibers.slice(0, limit), fibers.slice(limit, 2 * limit)]
      yield* Fiber.interruptAll([...waiting, ...active])
      yield* TestClock.adjust("2 seconds")
      expect(submitted).toHaveLength(3 * limit)
      expect(submitted).not.toContain(`image ${String(limit)}`)
      expect(inFlight).toEqual({ now: 0, max: limit })
    })
  )

  it.effect("pass on a permit that arrives during an interruption", () =>
    Effect.forEach(Array.range(0, 20), (yields) =>
      Effect.gen(function* () {
        const next = yield* Deferred.make<Fiber.RuntimeFiber<unknown, ArtaError.ArtaError>>()
        const refusal = new ArtaError.ResponseError({ operation: "submit", status: 422, detail: "no" })
        const interruptNext = Effect.replicateEffect(Effect.yieldNow(), yields).pipe(
          Effect.zipRight(Deferred.await(next)),
          Effect.flatMap(Fiber.interruptAsFork(FiberId.none))
        )
        const first = Effect.zipRight(Deferred.await(next), Effect.zipRight(Effect.forkDaemon(interruptNext), refusal))
        const { run, submitted } = serviceWith((prompt) =>
          prompt === "first" ? first : prompt === "last" ? Effect.void : Effect.never
        )
        const others = yield* Effect.forEach(["first", ...prompts(limit - 1)], (prompt) => Effect.fork(run(prompt)))
        const interrupted = yield* Effect.fork(run("interrupted"))
        const last = yield* Effect.fork(run("last"))
        yield* TestClock.adjust("1 second")
        expect(submitted).toHaveLength(limit)
        yield* Deferred.succeed(next, interrupted)
        yield* TestClock.adjust("1 second")
        expect(yield* Fiber.poll(last)).toMatchObject({ _tag: "Some", value: { _tag: "Success" } })
        yield* Fiber.interruptAll(others)
      })
    )
  )

  it.effect("share the limit of the service that they submit to", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(prompts(40), (prompt) => Effect.fork(Arta.run({ prompt })))
      yield* TestClock.adjust("30 seconds")
      const emulator = yield* ArtaEmulator.ArtaEmulator
      expect((yield* emulator.counts).submit).toBe(limit)
    }).pipe(Effect.provide(ArtaEmulator.layerArta({ faults: Array.makeBy(40, () => Fault.hang("submit")) })))
  )
})
