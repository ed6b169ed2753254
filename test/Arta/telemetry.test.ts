import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import type { Tracer } from "effect"
import { Cause, Effect, Exit, Layer, Logger, LogLevel, Ref, Stream } from "effect"
import { Arta, ArtaApi, TokenStore } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { counts, inject, runToEnd, smallImage, withEmulator } from "../support/withEmulator.js"
import { makeWitness } from "../support/witness.js"

const options = { prompt: "the user's own words", model: "F Dev", n: 2, seed: 7 }

const genAi = {
  "gen_ai.operation.name": "generate_content",
  "gen_ai.provider.name": "arta",
  "gen_ai.output.type": "image",
  "gen_ai.request.model": "F Dev",
  "gen_ai.request.seed": 7,
  "gen_ai.request.choice.count": 2
}

/** The span of that name, once the effect has ended. */
const spanOf = <A, E, R>(name: string, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { shown, spans, watch } = makeWitness()
    yield* watch(runToEnd(effect))
    const span = spans.find((span) => span.name === name)
    return { shown: shown.join("\n"), kind: span?.kind, attributes: Object.fromEntries(span?.attributes ?? []) }
  })

describe("The span of a generation", () => {
  it.effect.each<[string, Effect.Effect<unknown, unknown, ArtaApi.ArtaApi>]>([
    ["Arta.run", Effect.suspend(() => Arta.run(options))],
    ["Arta.run", Effect.suspend(() => Arta.run(options, { onEvent: () => Effect.void }))],
    ["Arta.submit", Effect.suspend(() => Arta.submit(options))],
    ["Arta.generate", Effect.suspend(() => Stream.runDrain(Arta.generate(options)))]
  ])("%s has the attributes of a generative AI client, and not the prompt", ([name, effect]) =>
    Effect.gen(function* () {
      const { attributes, kind, shown } = yield* spanOf(name, effect)
      expect(kind).toBe("client" satisfies Tracer.SpanKind)
      expect(attributes).toMatchObject({ ...genAi, model: "F Dev", "gen_ai.response.id": attributes["recordId"] })
      expect(attributes["recordId"]).toBeTypeOf("string")
      expect(Object.values(attributes)).not.toContain(options.prompt)
      expect(shown).not.toContain(`=${options.prompt}`)
    }).pipe(withEmulator())
  )

  it.effect.each<[string, (recordId: string) => Effect.Effect<unknown, unknown, ArtaApi.ArtaApi>]>([
    ["Arta.watch", (recordId) => Stream.runDrain(Arta.watch(recordId))],
    ["Arta.resume", (recordId) => Arta.resume(recordId)]
  ])("%s has the record id of the generation that it continues", ([name, continued]) =>
    Effect.gen(function* () {
      const { recordId } = yield* Arta.submit(options)
      const { attributes, kind } = yield* spanOf(name, continued(recordId))
      expect(kind).toBe("client" satisfies Tracer.SpanKind)
      expect(attributes).toEqual({ recordId })
    }).pipe(withEmulator())
  )

  it.effect.each<[string, Effect.Effect<unknown, unknown, ArtaApi.ArtaApi>]>([
    ["Arta.watch", Effect.suspend(() => Stream.runDrain(Arta.watch(" ")))],
    ["Arta.resume", Effect.suspend(() => Arta.resume(" "))]
  ])("%s has the error's tag if the record id is invalid", ([name, effect]) =>
    Effect.gen(function* () {
      const { attributes } = yield* spanOf(name, Effect.exit(effect))
      expect(attributes).toMatchObject({ "error.type": "InvalidRequestError" })
    }).pipe(withEmulator())
  )

  it.effect("tells of a defect", () =>
    Effect.gen(function* () {
      const { attributes } = yield* spanOf("Arta.run", Effect.exit(Arta.run(options)))
      expect(attributes).toMatchObject({ "error.type": "defect" })
    }).pipe(Effect.provideService(ArtaApi.ArtaApi, { submit: () => Effect.die("broken"), status: () => Effect.never }))
  )

  it.effect("has the request and the error's tag if the service refuses the submission", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 402, { body: { detail: "Not enough credits" } }))
      const { attributes } = yield* spanOf("Arta.run", Arta.run(options))
      expect(attributes).toMatchObject({ ...genAi, "error.type": "ResponseError" })
      expect(attributes).not.toHaveProperty("gen_ai.response.id")
    }).pipe(withEmulator())
  )

  it.effect("has the error's tag and the record id if the time is over", () =>
    Effect.gen(function* () {
      yield* inject(Fault.hang("status"))
      const { attributes } = yield* spanOf("Arta.run", Arta.run(options, { timeout: "10 seconds" }))
      expect(attributes).toMatchObject({ ...genAi, "error.type": "GenerationTimeoutError" })
      expect(attributes["gen_ai.response.id"]).toBeTypeOf("string")
    }).pipe(withEmulator())
  )

  it.effect("has the error's tag if the stream fails", () =>
    Effect.gen(function* () {
      yield* inject(Fault.failGeneration("NSFW"))
      const { attributes } = yield* spanOf("Arta.generate", Stream.runDrain(Arta.generate(options)))
      expect(attributes).toMatchObject({ ...genAi, "error.type": "GenerationFailedError" })
    }).pipe(withEmulator())
  )
})

/** Runs a generation. Returns the names of the spans in which its submission and its polls are sent. */
const spansOfRequests = (watch: (run: Effect.Effect<unknown, unknown, ArtaApi.ArtaApi>) => typeof run) =>
  Effect.gen(function* () {
    const seen = yield* Ref.make<ReadonlySet<string>>(new Set())
    const transformClient = HttpClient.tapRequest(({ method, url }) =>
      url.includes("/text2image")
        ? Effect.flatMap(Effect.orDie(Effect.currentSpan), ({ name }) =>
            Ref.update(seen, (all) => new Set([...all, `${method} in ${name}`]))
          )
        : Effect.void
    )
    yield* runToEnd(watch(Arta.run(options))).pipe(
      Effect.provide(
        Arta.layer({ apiKey: "k", transformClient }).pipe(
          Layer.provide([TokenStore.layerMemory, ArtaEmulator.layer({ imageSize: smallImage })])
        )
      )
    )
    return yield* Ref.get(seen)
  })

describe("The span of a request", () => {
  it.effect("is not made for the default tracer, which shows it to nobody", () =>
    Effect.gen(function* () {
      const found = yield* spansOfRequests((run) => run)
      expect(found).toEqual(new Set(["POST in Arta.run", "GET in Arta.run"]))
    })
  )

  it.effect("is made for the tracer of the call, with its attempt, its record and its status", () =>
    Effect.gen(function* () {
      const { spans, watch } = makeWitness()
      const found = yield* spansOfRequests(watch)
      expect(found).toEqual(new Set(["POST in ArtaApi.submit", "GET in ArtaApi.status"]))
      const attributesOf = (name: string) =>
        spans.filter((span) => span.name === name).map(({ attributes }) => Object.fromEntries(attributes))
      const [submission] = attributesOf("ArtaApi.submit")
      expect(submission).toEqual({ attempt: 1, model: "F Dev", n: 2, recordId: expect.any(String) as string })
      const polls = attributesOf("ArtaApi.status")
      expect(polls.at(-1)).toEqual({ attempt: 1, recordId: submission?.["recordId"], status: "Done" })
    })
  )
})

describe("The cause of a failure", () => {
  it.effect.each<[string, Effect.Effect<unknown, unknown, ArtaApi.ArtaApi>]>([
    ["Arta.run", Arta.run(options)],
    ["Arta.submit", Arta.submit(options)],
    ["Arta.generate", Stream.runDrain(Arta.generate(options))]
  ])("names %s with the default tracer too", ([name, effect]) =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 402, { body: { detail: "Not enough credits" } }))
      const exit = yield* Effect.exit(runToEnd(effect))
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain(`at ${name}`)
    }).pipe(withEmulator())
  )

  it.effect("names Arta.run if the time is over", () =>
    Effect.gen(function* () {
      yield* inject(Fault.hang("status"))
      const exit = yield* Effect.exit(runToEnd(Arta.run(options, { timeout: "10 seconds" })))
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain("at Arta.run")
    }).pipe(withEmulator())
  )
})

it.effect("A log line about a poll is annotated with the record id", () =>
  Effect.gen(function* () {
    const lines = yield* Ref.make<ReadonlyArray<string>>([])
    const logger = Logger.map(Logger.logfmtLogger, (line) => {
      Effect.runSync(Ref.update(lines, (all) => [...all, line]))
    })
    yield* inject(Fault.respond("status", 500))
    const { recordId } = yield* runToEnd(Arta.run(options)).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.Debug)
    )
    expect(yield* Ref.get(lines)).toContainEqual(expect.stringMatching(`poll failed.*recordId=${recordId}`))
    expect(yield* counts).toMatchObject({ submit: 1 })
  }).pipe(withEmulator())
)
