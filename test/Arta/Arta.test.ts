import { describe, expect, it } from "@effect/vitest"
import {
  Chunk,
  ConfigProvider,
  Duration,
  Effect,
  Either,
  Exit,
  Fiber,
  Layer,
  Option,
  Ref,
  Stream,
  TestClock
} from "effect"
import type { GenerateRequest } from "effect-arta"
import { Arta, ArtaApi, Auth, Generation, Polling, TokenStore } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { collect, counts, withEmulator, inject, runToEnd, tags } from "../support/withEmulator.js"

const cat = { prompt: "a cat", seed: 12_345 }

describe("Arta.prepare", () => {
  it.effect("completes options without sending anything, and keeps complete options unchanged", () =>
    Effect.gen(function* () {
      const prepared = yield* Arta.prepare({ prompt: "a cat", model: "watercolor" })
      expect(prepared).toMatchObject({ prompt: "a cat", model: "Watercolor", n: 1, aspectRatio: "1:1" })
      expect(yield* Arta.prepare(prepared)).toEqual(prepared)
      expect(yield* counts).toMatchObject({ signUp: 0, submit: 0 })
      const [submitted] = yield* collect(Arta.generate(prepared))
      expect(submitted).toMatchObject({ request: prepared })
    }).pipe(withEmulator())
  )

  it.effect("accepts more images than the service is known to accept if there are no limits", () =>
    Effect.gen(function* () {
      expect(yield* Arta.prepare({ ...cat, n: 9 }, { limits: "none" })).toMatchObject({ n: 9 })
    })
  )

  it.effect("rejects unvalidated input with the field that is invalid", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Arta.prepare({ prompt: 7 }))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "prompt" })
    })
  )
})

describe("Arta.generate", () => {
  it.effect("emits an event when the status changes, not at every poll", () =>
    Effect.gen(function* () {
      const events = yield* collect(Arta.generate({ ...cat, n: 2 }, { polling: Polling.fixed("1 second") }))
      expect(tags(events)).toEqual(["Submitted", "Queued", "InProgress", "Completed"])
      const [submitted, queued, inProgress, completed] = events
      expect(submitted).toMatchObject({ request: { prompt: "a cat", model: "Flux", seed: 12_345 } })
      const recordId = submitted?.recordId ?? ""
      expect(queued).toMatchObject({ recordId, elapsed: Duration.zero })
      expect(inProgress).toMatchObject({ recordId, elapsed: Duration.seconds(10) })
      expect(completed).toMatchObject({
        recordId,
        elapsed: Duration.seconds(40),
        images: [{ index: 0 }, { index: 1 }]
      })
      expect(yield* counts).toMatchObject({ signUp: 1, submit: 1, status: 41 })
    }).pipe(withEmulator({ queueTime: "10 seconds", drawTime: "30 seconds" }))
  )

  it.effect("emits each event when it happens", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const fiber = yield* Arta.generate(cat).pipe(
        Stream.runForEach(({ _tag }) => Effect.sync(() => seen.push(_tag))),
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      expect(seen).toEqual(["Submitted", "Queued"])
      yield* TestClock.adjust("15 seconds")
      expect(seen).toEqual(["Submitted", "Queued", "InProgress"])
      yield* TestClock.adjust("1 minute")
      expect(seen).toEqual(["Submitted", "Queued", "InProgress", "Completed"])
      yield* Fiber.join(fiber)
    }).pipe(withEmulator({ queueTime: "10 seconds", drawTime: "30 seconds" }))
  )

  // fault: Poll | A status that goes backwards | the event
  it.effect("emits an event for a status that goes backwards", () =>
    Effect.gen(function* () {
      yield* inject(
        Fault.respond("status", 200, { body: { status: "IN_PROGRESS" } }),
        Fault.respond("status", 200, { body: { status: "IN_QUEUE" } })
      )
      expect(tags(yield* collect(Arta.generate(cat, { polling: Polling.fixed("500 millis") })))).toEqual([
        "Submitted",
        "InProgress",
        "Queued",
        "InProgress",
        "Completed"
      ])
    }).pipe(withEmulator())
  )

  // fault: Poll | The generation fails | `GenerationFailedError` with name and detail
  it.effect("fails with the service's name for the failure", () =>
    Effect.gen(function* () {
      yield* inject(Fault.failGeneration("MODERATED", "no cats"))
      const error = yield* Effect.flip(collect(Arta.generate(cat)))
      expect(error).toMatchObject({ _tag: "GenerationFailedError", status: "MODERATED", detail: "no cats" })
      expect(error.message).toMatch(/record-.* ended with status MODERATED: no cats/)
    }).pipe(withEmulator())
  )
})

describe("Arta.watch", () => {
  it.effect("resumes a generation by its id in another program", () =>
    Effect.gen(function* () {
      const submitted = yield* Effect.flatten(Stream.runHead(Arta.generate(cat)))
      const another = Layer.provide(Arta.layer({ apiKey: "k" }), TokenStore.layerMemory)
      const events = yield* Effect.provide(collect(Arta.watch(submitted.recordId)), another)
      expect(tags(events)).toEqual(["Queued", "InProgress", "Completed"])
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator())
  )

  it.effect("fails at once on an unknown id", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Stream.runDrain(Arta.watch("unknown")))
      expect(error).toMatchObject({ _tag: "ResponseError", status: 404, recordId: "unknown" })
    }).pipe(withEmulator())
  )

  it.effect.each([" ", "", "\ud800"])("rejects the invalid id %j", (recordId) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(collect(Arta.watch(recordId)))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "recordId" })
      expect(yield* counts).toMatchObject({ status: 0 })
    }).pipe(withEmulator())
  )
})

// 200 calls in real time.
describe("Arta.run", { timeout: 60_000 }, () => {
  it.effect("returns the images and the request that was sent", () =>
    Effect.gen(function* () {
      const generation = yield* runToEnd(Arta.run({ ...cat, model: "flux-dev", n: 3 }))
      expect(generation.request).toMatchObject({ prompt: "a cat", model: "F Dev", seed: 12_345 })
      expect(generation.images.map(({ index }) => index)).toEqual([0, 1, 2])
      expect(Duration.toMillis(generation.elapsed)).toBeGreaterThanOrEqual(3_000)
    }).pipe(withEmulator())
  )

  // In virtual time, each step would check 200 fibers.
  it.live("signs up once for 200 calls, and the next program reuses the session", () =>
    Effect.gen(function* () {
      yield* Effect.all(Effect.replicate(Arta.run(cat), 200), { concurrency: "unbounded" })
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0, submit: 200 })
      yield* Arta.run(cat).pipe(Effect.provide(Arta.layer({ apiKey: "k" })))
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0, submit: 201 })
    }).pipe(withEmulator({ queueTime: "100 millis", drawTime: "100 millis" }))
  )
})

describe("onEvent", () => {
  it.effect("receives the events of a run when they happen", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const onEvent = ({ _tag }: Generation.GenerationEvent) => Effect.sync(() => void seen.push(_tag))
      const fiber = yield* Effect.fork(Arta.run(cat, { onEvent }))
      yield* TestClock.adjust("1 second")
      expect(seen).toEqual(["Submitted", "Queued"])
      yield* TestClock.adjust("1 minute")
      expect(seen).toEqual(["Submitted", "Queued", "InProgress", "Completed"])
      expect((yield* Fiber.join(fiber)).images).toHaveLength(1)
    }).pipe(withEmulator({ queueTime: "10 seconds", drawTime: "30 seconds" }))
  )

  it.effect("receives the events of a generation that is resumed", () =>
    Effect.gen(function* () {
      const { recordId } = yield* Arta.submit(cat)
      const seen = yield* Ref.make<ReadonlyArray<string>>([])
      const onEvent = ({ _tag }: Generation.GenerationEvent) => Ref.update(seen, (before) => [...before, _tag])
      yield* runToEnd(Arta.resume(recordId, { onEvent }))
      expect(yield* seen).toEqual(["Queued", "InProgress", "Completed"])
    }).pipe(withEmulator())
  )

  it.effect("does not use up the timeout", () =>
    Effect.gen(function* () {
      const onEvent = () => Effect.sleep("1 minute")
      const generation = yield* runToEnd(Arta.run(cat, { onEvent, timeout: "30 seconds" }))
      expect(generation.images).toHaveLength(1)
    }).pipe(withEmulator())
  )
})

// Generations in real time.
describe("Arta.generateAll", { timeout: 60_000 }, () => {
  const requests: ReadonlyArray<GenerateRequest.Options> = [
    { prompt: "zero" },
    { prompt: "" },
    { prompt: "two" },
    { prompt: "three", model: "nope" },
    { prompt: "four" }
  ]

  it.effect("returns every result with its index when some fail", () =>
    Effect.gen(function* () {
      const outcomes = yield* runToEnd(Stream.runCollect(Arta.generateAll(requests)))
      const byIndex = Chunk.toReadonlyArray(outcomes).toSorted((a, b) => a.index - b.index)
      expect(byIndex.map(({ request }) => request)).toEqual(requests)
      expect(
        byIndex.map(({ result }) =>
          Either.match(result, { onLeft: ({ _tag }) => _tag, onRight: ({ request }) => request?.prompt })
        )
      ).toEqual(["zero", "InvalidRequestError", "two", "UnknownModelError", "four"])
      expect(yield* counts).toMatchObject({ signUp: 1, submit: 3 })
    }).pipe(withEmulator())
  )

  it.effect.each<[Arta.AllSettings, number]>([
    [{}, 4],
    [{ concurrency: 2 }, 2],
    [{ concurrency: "unbounded" }, 10],
    [{ concurrency: Infinity }, 10]
  ])("limits concurrency to the settings %j", ([settings, most]) =>
    Effect.gen(function* () {
      const many = Array.from({ length: 10 }, () => cat)
      const fiber = yield* Effect.fork(Stream.runCount(Arta.generateAll(many, settings)))
      yield* TestClock.adjust("1 second")
      expect(yield* counts).toMatchObject({ submit: most })
      yield* TestClock.adjust("10 minutes")
      expect(yield* Fiber.join(fiber)).toBe(10)
      expect(yield* counts).toMatchObject({ submit: 10 })
    }).pipe(withEmulator())
  )

  it.effect("emits each outcome as soon as it is available", () =>
    Effect.gen(function* () {
      const first = yield* Stream.runHead(Arta.generateAll([cat, { prompt: "" }]))
      expect(Option.map(first, ({ index }) => index)).toEqual(Option.some(1))
    }).pipe(withEmulator())
  )
})

describe("Arta.layerConfig", () => {
  const configured = (variables: ReadonlyArray<readonly [string, string]>) =>
    Arta.layerConfig().pipe(
      Layer.provide(TokenStore.layerMemory),
      Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map(variables))))
    )

  it.effect("reads the environment", () =>
    Effect.gen(function* () {
      const http = yield* ArtaEmulator.ArtaEmulator
      yield* runToEnd(Arta.run(cat).pipe(Effect.provide(configured([["ARTA_API_KEY", "good"]]))))
      expect(yield* http.counts).toMatchObject({ signUp: 1, submit: 1 })
    }).pipe(Effect.provide(ArtaEmulator.layer({ apiKeys: ["good"] })))
  )

  it.effect.each<[ReadonlyArray<readonly [string, string]>]>([[[]], [[["ARTA_API_KEY", ""]]]])(
    "names the missing variable for %j",
    ([variables]) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Effect.provide(Arta.run(cat), configured(variables)))
        expect(Exit.isFailure(exit)).toBe(true)
        expect(JSON.stringify(exit)).toContain("ARTA_API_KEY")
      }).pipe(Effect.provide(ArtaEmulator.layer()))
  )
})

describe("a replaced layer", () => {
  it.effect("replaces the API in tests without HTTP", () =>
    Effect.gen(function* () {
      const events = yield* collect(Arta.generate(cat))
      expect(tags(events)).toEqual(["Submitted", "Completed"])
    }).pipe(
      Effect.provideService(ArtaApi.ArtaApi, {
        submit: () => Effect.succeed(Generation.RecordId.make("rec")),
        status: () => Effect.succeed({ _tag: "Done", images: [{ index: 0, url: "https://a/0" }] })
      })
    )
  )

  it.effect("provides a fixed token", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Arta.run(cat))
      expect(error).toMatchObject({ _tag: "UnauthorizedError", operation: "submit" })
      expect(yield* counts).toMatchObject({ signUp: 0, submit: 2 })
    }).pipe(
      Effect.provide(
        ArtaApi.layer().pipe(Layer.provide(Auth.layerToken("mine")), Layer.provideMerge(ArtaEmulator.layer()))
      )
    )
  )
})
