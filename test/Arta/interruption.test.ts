import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { Arta, ArtaApi, Generation } from "effect-arta"

/** A service that takes a moment to accept a generation, and counts those that it accepted. */
const slowService = () => {
  const accepted: Array<string> = []
  const service = ArtaApi.ArtaApi.of({
    submit: ({ prompt }) =>
      Effect.as(
        Effect.zipRight(
          Effect.sleep("1 millis"),
          Effect.sync(() => accepted.push(prompt))
        ),
        Generation.RecordId.make("a-record")
      ),
    status: () => Effect.never
  })
  return { accepted, service }
}

describe("Arta.run", () => {
  // fault: Submit | The program is interrupted in any step of `Arta.run` before the submission | nothing is submitted afterwards
  it.effect("submits nothing after an interruption, whichever step it reaches", () =>
    Effect.gen(function* () {
      const { accepted, service } = slowService()
      // A fiber yields after 2,048 steps, and is interrupted there.
      yield* Effect.forEach(
        Array.from({ length: 2_048 }, (_, index) => index),
        (steps) =>
          Effect.gen(function* () {
            const before = Effect.replicateEffect(Effect.void, steps, { discard: true })
            const run = Effect.zipRight(before, Arta.run({ prompt: `image ${String(steps)}` }))
            const fiber = yield* Effect.fork(Effect.provideService(run, ArtaApi.ArtaApi, service))
            yield* Effect.yieldNow()
            yield* Fiber.interrupt(fiber)
          })
      )
      yield* TestClock.adjust("1 minute")
      expect(accepted).toEqual([])
    })
  )
})
