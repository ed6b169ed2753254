import { describe, expect, it } from "@effect/vitest"
import { Array, Deferred, Duration, Effect, Fiber, FiberId, Schema, TestClock } from "effect"
import type { GenerateRequest } from "effect-arta"
import { Arta, ArtaApi, ArtaError, Generation } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { makeSubmitLimiter } from "../../src/internal/artaApi/submitLimiter.js"

const recordId = Schema.decodeSync(Generation.RecordId)
const most = 32

/** A service that draws at once, whose submissions do what they are told and are counted. */
const serviceWith = (submission: (prompt: string) => Effect.Effect<void, ArtaApi.SubmitError>) => {
  const submitted: Array<string> = []
  const underWay = { now: 0, most: 0 }
  const submit = ({ prompt }: GenerateRequest.GenerateRequest) =>
    Effect.suspend(() => {
      submitted.push(prompt)
      underWay.now += 1
      underWay.most = Math.max(underWay.most, underWay.now)
      return submission(prompt)
    }).pipe(Effect.ensuring(Effect.sync(() => (underWay.now -= 1))), Effect.as(recordId(prompt)))
  const status = () =>
    Effect.succeed<Generation.GenerationStatus>({
      _tag: "Done",
      images: [{ index: 0, url: "https://p.example/1.png" }]
    })
  const api = ArtaApi.ArtaApi.of({ submit, status, limitSubmissions: Effect.runSync(makeSubmitLimiter) })
  const draw = (prompt: string) => Effect.provideService(Arta.run({ prompt }), ArtaApi.ArtaApi, api)
  return { draw, submitted, underWay }
}

const prompts = (count: number) => Array.makeBy(count, (index) => `image ${String(index)}`)

describe("Concurrent generations", () => {
  it.effect("submit at most 32 at a time, in order", () =>
    Effect.gen(function* () {
      const { draw, submitted, underWay } = serviceWith(() => Effect.sleep("1 second"))
      const all = prompts(100)
      const fiber = yield* Effect.fork(Effect.forEach(all, draw, { concurrency: "unbounded" }))
      yield* TestClock.adjust("500 millis")
      expect(submitted).toEqual(all.slice(0, most))
      yield* TestClock.adjust("1 second")
      expect(submitted).toEqual(all.slice(0, 2 * most))
      yield* TestClock.adjust("3 seconds")
      expect(submitted).toEqual(all)
      expect(underWay).toEqual({ now: 0, most })
      expect(yield* Fiber.join(fiber)).toHaveLength(100)
    })
  )

  it.effect("do not count the wait for the limiter towards their timeout", () =>
    Effect.gen(function* () {
      const { draw } = serviceWith(() => Effect.sleep("4 minutes"))
      const fiber = yield* Effect.fork(Effect.forEach(prompts(3 * most), draw, { concurrency: "unbounded" }))
      yield* TestClock.adjust("12 minutes")
      const elapsed = Array.map(yield* Fiber.join(fiber), (generation) => Duration.toSeconds(generation.elapsed))
      expect(Array.dedupe(elapsed)).toEqual([240])
    })
  )

  it.effect("release their permit when they are interrupted or fail", () =>
    Effect.gen(function* () {
      const { draw, submitted, underWay } = serviceWith(() => Effect.sleep("1 second"))
      const fibers = yield* Effect.forEach(prompts(4 * most), (prompt) => Effect.fork(draw(prompt)))
      yield* TestClock.adjust("500 millis")
      const [inFlight, waiting] = [fibers.slice(0, most), fibers.slice(most, 2 * most)]
      yield* Fiber.interruptAll([...waiting, ...inFlight])
      yield* TestClock.adjust("2 seconds")
      expect(submitted).toHaveLength(3 * most)
      expect(submitted).not.toContain(`image ${String(most)}`)
      expect(underWay).toEqual({ now: 0, most })
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
        const { draw, submitted } = serviceWith((prompt) =>
          prompt === "first" ? first : prompt === "last" ? Effect.void : Effect.never
        )
        const others = yield* Effect.forEach(["first", ...prompts(most - 1)], (prompt) => Effect.fork(draw(prompt)))
        const interrupted = yield* Effect.fork(draw("interrupted"))
        const last = yield* Effect.fork(draw("last"))
        yield* TestClock.adjust("1 second")
        expect(submitted).toHaveLength(most)
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
      expect((yield* emulator.counts).submit).toBe(most)
    }).pipe(Effect.provide(ArtaEmulator.layerArta({ faults: Array.makeBy(40, () => Fault.hang("submit")) })))
  )
})
