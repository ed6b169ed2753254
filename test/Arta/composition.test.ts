import type { HttpClientRequest } from "@effect/platform"
import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, Ref, Stream } from "effect"
import { Arta, type ArtaError, type GenerateRequest, TokenStore } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { collect, counts, inject, runToEnd, withEmulator } from "../support/withEmulator.js"

const cat = { prompt: "a cat" }

/** The prompt of a submission. */
const promptOf = ({ body }: HttpClientRequest.HttpClientRequest): ReadonlyArray<string> => {
  const form = body._tag === "Uint8Array" ? new URLSearchParams(new TextDecoder().decode(body.body)) : undefined
  const prompt = form?.get("prompt")
  return typeof prompt === "string" ? [prompt] : []
}

/** Provides the emulator behind a client that records the prompts in the order of their submission. */
const recordingPrompts = (prompts: Ref.Ref<ReadonlyArray<string>>) =>
  Arta.layer({
    apiKey: "k",
    transformClient: HttpClient.mapRequestEffect((request) =>
      Effect.as(
        Ref.update(prompts, (before) => [...before, ...promptOf(request)]),
        request
      )
    )
  }).pipe(
    Layer.provideMerge(
      Layer.merge(TokenStore.layerMemory, ArtaEmulator.layer({ queueTime: 0, drawTime: "100 millis" }))
    )
  )

describe("Arta.generateAll", () => {
  // fault: Composition | The first of many generations wait for the same sign-up | submitted in the order of the input
  it.effect.each<[Arta.AllSettings, number]>([
    [{}, 9],
    [{ concurrency: 2 }, 5],
    [{ concurrency: 34 }, 36],
    [{ concurrency: "unbounded" }, 36]
  ])("submits in the order of its input with the settings %j", ([settings, length]) =>
    Effect.gen(function* () {
      const prompts = yield* Ref.make<ReadonlyArray<string>>([])
      const inputs = Array.from({ length }, (_, index) => `prompt ${String(index)}`)
      const all = Arta.generateAll(
        inputs.map((prompt) => ({ prompt })),
        settings
      )
      yield* Effect.gen(function* () {
        yield* runToEnd(Stream.runDrain(all), "10 seconds")
        expect(yield* counts).toMatchObject({ signUp: 1, submit: length })
      }).pipe(Effect.provide(recordingPrompts(prompts)))
      expect(yield* Ref.get(prompts)).toEqual(inputs)
    })
  )
})

describe("Arta.submit", () => {
  it.effect("returns the record id and the request as soon as the service accepts it", () =>
    Effect.gen(function* () {
      const { recordId, request } = yield* Arta.submit({ prompt: "a cat", model: "flux-dev", seed: 7 })
      expect(request).toMatchObject({ prompt: "a cat", model: "F Dev", seed: 7 })
      expect(yield* counts).toMatchObject({ submit: 1, status: 0 })
      const generation = yield* runToEnd(Arta.resume(recordId))
      expect(generation).toMatchObject({ recordId, request, missing: 0, requested: 1 })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator())
  )

  it.effect("waits for a rate limit that ends before the timeout", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 429, { headers: { "retry-after": "20" } }))
      yield* runToEnd(Arta.submit(cat))
      expect(yield* counts).toMatchObject({ submit: 2 })
    }).pipe(withEmulator())
  )

  it.effect("rejects invalid options without a request", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(Arta.submit({ prompt: "" }))).toMatchObject({ _tag: "InvalidRequestError" })
      expect(yield* counts).toMatchObject({ signUp: 0, submit: 0 })
    }).pipe(withEmulator())
  )

  // fault: Composition | A generation is submitted now and resumed later | its durations teach the polling all the same
  it.effect("teaches the polling the durations of a generation that is resumed", () =>
    Effect.gen(function* () {
      const pollsOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.gen(function* () {
          const { status } = yield* counts
          yield* runToEnd(effect)
          return (yield* counts).status - status
        })
      const submitted = Effect.flatMap(Arta.submit(cat), ({ recordId }) => Arta.resume(recordId))
      const first = yield* pollsOf(submitted)
      for (let round = 0; round < 4; round += 1) yield* pollsOf(submitted)
      expect(yield* pollsOf(submitted)).toBeLessThan(first)
    }).pipe(withEmulator({ queueTime: "5 seconds", drawTime: "30 seconds" }))
  )
})

describe("Arta.resume", () => {
  it.effect("has no request for a generation of another program", () =>
    Effect.gen(function* () {
      const { recordId } = yield* Arta.submit(cat)
      const generation = yield* runToEnd(Arta.resume(recordId)).pipe(Effect.provide(Arta.layer({ apiKey: "k" })))
      expect(generation).toMatchObject({ recordId, missing: 0 })
      expect(generation).not.toHaveProperty("request")
    }).pipe(withEmulator())
  )

  it.effect("rejects a blank record id", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(Arta.resume(" "))).toMatchObject({ _tag: "InvalidRequestError", field: "recordId" })
    }).pipe(withEmulator())
  )
})

describe("Completed", () => {
  it.effect("carries the request of this program, also after a timeout", () =>
    Effect.gen(function* () {
      const events = yield* collect(Arta.generate(cat))
      expect(events.at(-1)).toMatchObject({ _tag: "Completed", request: cat, missing: 0, requested: 1 })
      const late = yield* Effect.flip(runToEnd(Arta.run(cat, { timeout: "1 second" })))
      if (late._tag !== "GenerationTimeoutError") return expect.unreachable(late.message)
      const resumed = yield* collect(Arta.watch(String(late.recordId)))
      expect(resumed.at(-1)).toMatchObject({ _tag: "Completed", request: cat })
    }).pipe(withEmulator())
  )

  // fault: Composition | The service delivers fewer images than requested | `missing` counts them, and the others are there
  it.effect.each<[ReadonlyArray<unknown>, number, number]>([
    [[{ url: "https://a/0.png" }], 1, 3],
    [[{ url: "https://a/0.png" }, { url: null }, { url: "https://a/2.png" }, { url: null }], 2, 2],
    [[{ url: null }, { url: "https://a/1.png" }], 1, 3]
  ])("counts the missing images of %j", ([response, delivered, missing]) =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("status", 200, { body: { status: "DONE", response } }))
      const generation = yield* runToEnd(Arta.run({ ...cat, n: 4 }))
      expect(generation.images).toHaveLength(delivered)
      expect(generation).toMatchObject({ missing, requested: 4 })
    }).pipe(withEmulator())
  )

  // fault: Composition | The service delivers more entries than were requested | all of its images, and nothing is missing
  it.effect.each<[number, ReadonlyArray<string | null>, number, number]>([
    [1, ["a", "b", "c"], 3, 0],
    [1, ["a", null], 1, 0],
    [4, ["a", null, "b", "c", null, "d"], 4, 0],
    [2, [null, "a", null], 1, 1]
  ])("knows what was requested of %d images and %j", ([n, urls, delivered, missing]) =>
    Effect.gen(function* () {
      const response = urls.map((name) => ({ url: name && `https://a/${name}.png` }))
      yield* inject(Fault.respond("status", 200, { body: { status: "DONE", response } }))
      const generation = yield* runToEnd(Arta.run({ ...cat, n }))
      expect(generation.images).toHaveLength(delivered)
      expect(generation).toMatchObject({ missing, requested: n })
    }).pipe(withEmulator())
  )
})

describe("Arta.make", () => {
  it.effect("binds every function to one service, so that a service on top requires nothing", () =>
    Effect.gen(function* () {
      const arta = yield* Arta.make
      const program: Effect.Effect<ReadonlyArray<unknown>, ArtaError.RunError> = Effect.gen(function* () {
        const { recordId } = yield* arta.submit(cat)
        const resumed = yield* arta.resume(recordId)
        const ran = yield* arta.run(cat)
        const generated = yield* Stream.runLast(arta.generate(cat))
        const watched = yield* Stream.runLast(arta.watch(recordId))
        const all = yield* Stream.runCollect(arta.generateAll([cat, cat]))
        return [resumed, ran, Option.getOrThrow(generated), Option.getOrThrow(watched), ...all]
      })
      const results = yield* runToEnd(program)
      expect(results).toHaveLength(6)
      expect(yield* arta.prepare(cat)).toMatchObject(cat)
    }).pipe(withEmulator())
  )
})

describe("The limits", () => {
  // fault: Options | More images or steps than the service is known to accept | InvalidRequestError, no POST
  it.effect.each<[GenerateRequest.Options, string]>([
    [{ ...cat, n: 9 }, "n"],
    [{ ...cat, n: 100_000 }, "n"],
    [{ ...cat, numInferenceSteps: 101 }, "numInferenceSteps"]
  ])("reject %o before any request, and name the setting that lifts them", ([options, field]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Arta.run(options))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field })
      expect(error.message).toContain('limits: "none"')
      expect(yield* Effect.flip(Arta.prepare(options))).toEqual(error)
      expect(yield* counts).toMatchObject({ signUp: 0, submit: 0 })
      yield* Arta.submit(options, { limits: "none" })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator())
  )

  it.effect("allow 8 images and 100 steps", () =>
    Effect.gen(function* () {
      yield* Arta.submit({ ...cat, n: 8, numInferenceSteps: 100 })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator())
  )
})
