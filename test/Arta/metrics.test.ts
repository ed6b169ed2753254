import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, HashMap, Metric, Option, Stream, TestClock } from "effect"
import type { Generation } from "effect-arta"
import { Arta, ArtaApi } from "effect-arta"
import { Fault } from "effect-arta/testing"
import { counts, withEmulator, inject, runToEnd } from "../support/withEmulator.js"

/** The metrics of the library, by name and tags. All tests of a process share the registry, so they compare snapshots. */
const measured = Effect.map(Metric.snapshot, (pairs) => {
  const found = pairs
    .filter(({ metricKey }) => metricKey.name.startsWith("effect_arta_"))
    .map(({ metricKey, metricState }) => {
      const tags = metricKey.tags.map(({ key, value }) => `${key}=${value}`).join()
      return [`${metricKey.name}{${tags}}`, "count" in metricState ? Number(metricState.count) : 0] as const
    })
  return HashMap.fromIterable(found)
})

/** How much each metric grows while an effect runs. */
const growth = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = yield* measured
    yield* Effect.exit(effect)
    const after = yield* measured
    const grown = HashMap.map(after, (count, key) => count - Option.getOrElse(HashMap.get(before, key), () => 0))
    return Object.fromEntries(HashMap.filter(grown, (count) => count > 0))
  })

const outcomes = (effect: Effect.Effect<unknown, unknown, Effect.Effect.Context<ReturnType<typeof Arta.run>>>) =>
  Effect.map(growth(effect), (grown) => Object.keys(grown).filter((key) => key.includes("outcome")))

const cat = { prompt: "a cat" }
const events = Arta.generate(cat)

describe("The metrics", () => {
  it.effect("count a completed generation, its duration, its polls, and the sign-up", () =>
    Effect.gen(function* () {
      const grown = yield* growth(runToEnd(Arta.run(cat)))
      expect(grown).toEqual({
        "effect_arta_generations{outcome=completed}": 1,
        "effect_arta_generation_seconds{}": 1,
        "effect_arta_polls{}": (yield* counts).status,
        "effect_arta_renewals{operation=signUp}": 1
      })
    }).pipe(withEmulator())
  )

  it.effect("count a completed generation although onEvent ends the call with a defect", () =>
    Effect.gen(function* () {
      const onEvent = ({ _tag }: Generation.GenerationEvent) =>
        Effect.dieMessage(_tag).pipe(Effect.when(() => _tag === "Completed"))
      expect(yield* outcomes(runToEnd(Arta.run(cat, { onEvent })))).toEqual([
        "effect_arta_generations{outcome=completed}"
      ])
    }).pipe(withEmulator())
  )

  it.effect("count each generation once, by its outcome", () =>
    Effect.gen(function* () {
      yield* inject(Fault.failGeneration("FAILED"))
      expect(yield* outcomes(runToEnd(Arta.run(cat)))).toEqual([
        "effect_arta_generations{outcome=GenerationFailedError}"
      ])
      expect(yield* outcomes(Arta.run({ prompt: "" }))).toEqual([
        "effect_arta_generations{outcome=InvalidRequestError}"
      ])
      const interrupted = Effect.gen(function* () {
        const fiber = yield* Effect.fork(Arta.run(cat))
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(fiber)
      })
      expect(yield* outcomes(interrupted)).toEqual(["effect_arta_generations{outcome=interrupted}"])
    }).pipe(withEmulator())
  )

  it.effect("count a generation that is watched or resumed, by its outcome", () =>
    Effect.gen(function* () {
      const completed = { "effect_arta_generations{outcome=completed}": 1, "effect_arta_generation_seconds{}": 1 }
      const { recordId } = yield* Arta.submit(cat)
      expect(yield* growth(runToEnd(Stream.runDrain(Arta.watch(recordId))))).toMatchObject(completed)
      expect(yield* growth(runToEnd(Arta.resume(recordId)))).toMatchObject(completed)
    }).pipe(withEmulator())
  )

  it.effect("count a generation whose stream is interrupted", () =>
    Effect.gen(function* () {
      const interrupted = Effect.gen(function* () {
        const fiber = yield* Effect.fork(Stream.runDrain(events))
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(fiber)
      })
      expect(yield* outcomes(interrupted)).toEqual(["effect_arta_generations{outcome=interrupted}"])
    }).pipe(withEmulator())
  )

  it.effect.each<[string, Effect.Effect<unknown, unknown, ArtaApi.ArtaApi>]>([
    ["a run", Arta.run(cat)],
    ["a stream", Stream.runDrain(events)],
    ["a submission", Arta.submit(cat)]
  ])("count a defect of the program's own ArtaApi in %s", ([, effect]) =>
    Effect.gen(function* () {
      expect(yield* outcomes(effect)).toEqual(["effect_arta_generations{outcome=defect}"])
    }).pipe(
      Effect.provideService(ArtaApi.ArtaApi, {
        submit: () => Effect.dieMessage("its own defect"),
        status: () => Effect.dieMessage("its own defect")
      })
    )
  )

  // fault: Composition | The program ends or fails its own stream | one outcome label, `consumer-ended`
  it.effect.each<[string, Stream.Stream<unknown, unknown, ArtaApi.ArtaApi>]>([
    ["ends it early", Stream.take(events, 2)],
    ["fails with its own tagged error", Stream.mapEffect(events, () => Effect.fail({ _tag: "UserId-8124" }))],
    ["fails with null", Stream.mapEffect(events, () => Effect.fail(null))],
    ["dies", Stream.mapEffect(events, () => Effect.dieMessage("its own defect"))],
    ["fails it by a timeout", Stream.timeoutFail(events, () => "late", "100 millis")],
    ["ends it by a timeout", Stream.timeout(events, "100 millis")]
  ])("count a generation whose program %s as ended by the consumer", ([, stream]) =>
    Effect.gen(function* () {
      expect(yield* outcomes(runToEnd(Stream.runDrain(stream)))).toEqual([
        "effect_arta_generations{outcome=consumer-ended}"
      ])
    }).pipe(withEmulator())
  )
})
