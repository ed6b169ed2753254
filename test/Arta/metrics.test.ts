import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, HashMap, Metric, Option, Stream, TestClock } from "effect"
import { Arta } from "effect-arta"
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

const cat = { prompt: "a cat" }

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

  it.effect("count each generation once, by its outcome", () =>
    Effect.gen(function* () {
      const outcomes = (effect: Effect.Effect<unknown, unknown, Effect.Effect.Context<ReturnType<typeof Arta.run>>>) =>
        Effect.map(growth(effect), (grown) => Object.keys(grown).filter((key) => key.includes("outcome")))

      yield* inject(Fault.failGeneration("FAILED"))
      expect(yield* outcomes(runToEnd(Arta.run(cat)))).toEqual([
        "effect_arta_generations{outcome=GenerationFailedError}"
      ])
      expect(yield* outcomes(Arta.run({ prompt: "" }))).toEqual([
        "effect_arta_generations{outcome=InvalidRequestError}"
      ])
      expect(yield* outcomes(Stream.runDrain(Stream.take(Arta.generate(cat), 2)))).toEqual([
        "effect_arta_generations{outcome=abandoned}"
      ])
      const interrupted = Effect.gen(function* () {
        const fiber = yield* Effect.fork(Arta.run(cat))
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(fiber)
      })
      expect(yield* outcomes(interrupted)).toEqual(["effect_arta_generations{outcome=interrupted}"])
    }).pipe(withEmulator())
  )
})
