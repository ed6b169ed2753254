import { describe, expect, it } from "@effect/vitest"
import type { Tracer } from "effect"
import { Effect, Logger, LogLevel, Ref, Stream } from "effect"
import { Arta, type ArtaApi } from "effect-arta"
import { Fault } from "effect-arta/testing"
import { counts, inject, runToEnd, withEmulator } from "../support/withEmulator.js"
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
    ["Arta.run", Arta.run(options)],
    ["Arta.submit", Arta.submit(options)],
    ["Arta.generate", Stream.runDrain(Arta.generate(options))]
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

  it.effect("has the request and the error's tag if the service refuses the submission", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 402, { body: { detail: "Not enough credits" } }))
      const { attributes } = yield* spanOf("Arta.run", Arta.run(options))
      expect(attributes).toMatchObject({ ...genAi, "error.type": "ResponseError" })
      expect(attributes).not.toHaveProperty("gen_ai.response.id")
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
