import { describe, expect, it } from "@effect/vitest"
import type { Duration } from "effect"
import { Effect, Fiber, Layer, Stream, TestClock } from "effect"
import { Arta, ArtaApi, ArtaError } from "effect-arta"
import { type ArtaEmulator, Fault } from "effect-arta/testing"
import { counts, inject, withEmulator } from "../support/withEmulator.js"

const cat = { prompt: "a cat", seed: 12_345 }

/** The failure of a run whose timeout is 20 seconds. */
const timedOut = Effect.gen(function* () {
  const fiber = yield* Effect.fork(Effect.flip(Arta.run(cat, { timeout: "20 seconds" })))
  yield* TestClock.adjust("20 seconds")
  const error = yield* Fiber.join(fiber)
  // A sign-up that has begun is not interrupted.
  yield* TestClock.adjust("5 minutes")
  return error
})

const nothingSubmitted = (error: ArtaError.ArtaError) => {
  expect(error._tag).toBe("GenerationTimeoutError")
  expect("request" in error ? error.request : undefined).toBeUndefined()
  expect(error.message).toMatch(/^Nothing was submitted/)
}

describe("A timeout before the submission", () => {
  // fault: Submit | The sign-up or the refresh outlasts the timeout | `GenerationTimeoutError`, nothing was submitted
  it.effect.each<[string, ReadonlyArray<Fault.Fault>]>([
    ["hangs", Array.from({ length: 4 }, () => Fault.hang("signUp"))],
    ["takes too long", [Fault.respond("signUp", 503), Fault.hang("signUp"), Fault.hang("signUp")]]
  ])("says that nothing was submitted if the sign-up %s", ([, faults]) =>
    Effect.gen(function* () {
      yield* inject(...faults)
      nothingSubmitted(yield* timedOut)
      expect(yield* counts).toMatchObject({ submit: 0 })
    }).pipe(withEmulator())
  )

  it.effect("says that nothing was submitted if a refused token cannot be refreshed in time", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 401), ...Array.from({ length: 4 }, () => Fault.hang("refresh")))
      nothingSubmitted(yield* timedOut)
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator())
  )

  // fault: Submit | A timeout of 0 | `GenerationTimeoutError`, nothing was submitted
  it.effect("sends nothing if it is 0", () =>
    Effect.gen(function* () {
      nothingSubmitted(yield* Effect.flip(Arta.run(cat, { timeout: 0 })))
      nothingSubmitted(yield* Effect.flip(Stream.runDrain(Arta.generate(cat, { timeout: "0 seconds" }))))
      expect(yield* counts).toMatchObject({ signUp: 0, submit: 0 })
    }).pipe(withEmulator())
  )

  // fault: Submit | The submission hangs past the timeout | `GenerationTimeoutError` with the request
  it.effect("counts a submission without a response as possibly accepted", () =>
    Effect.gen(function* () {
      yield* inject(Fault.hang("submit"))
      expect(yield* timedOut).toMatchObject({ _tag: "GenerationTimeoutError", request: { seed: 12_345 } })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator())
  )

  it.effect("counts a submission of another ArtaApi as possibly accepted", () =>
    Effect.gen(function* () {
      expect(yield* timedOut).toMatchObject({ _tag: "GenerationTimeoutError", request: { seed: 12_345 } })
    }).pipe(Effect.provide(Layer.succeed(ArtaApi.ArtaApi, { submit: () => Effect.never, status: () => Effect.never })))
  )

  it.effect("reports the rate limit of another ArtaApi, which has accepted nothing", () =>
    Effect.gen(function* () {
      expect(yield* timedOut).toMatchObject({ _tag: "RateLimitedError", operation: "submit" })
    }).pipe(
      Effect.provideService(ArtaApi.ArtaApi, {
        submit: () => new ArtaError.RateLimitedError({ operation: "submit" }),
        status: () => Effect.never
      })
    )
  )
})

describe("A timeout while a generation is polled", () => {
  it.effect.each<[string, ArtaEmulator.Options]>([
    ["IN_QUEUE", { queueTime: "1 hour" }],
    ["IN_PROGRESS", { queueTime: 0, drawTime: "1 hour" }]
  ])("tells the last status %s, and no failed poll", ([lastStatus, options]) =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("status", 500))
      const error = yield* timedOut
      expect(error).toMatchObject({ _tag: "GenerationTimeoutError", lastStatus, reason: undefined })
    }).pipe(withEmulator(options))
  )

  // fault: Poll | Every poll fails until the timeout | `GenerationTimeoutError` with the record id and the reason
  it.effect("tells why the last poll failed", () =>
    Effect.gen(function* () {
      yield* inject(...Array.from({ length: 50 }, () => Fault.respond("status", 500, { body: { detail: "no GPU" } })))
      const error = yield* timedOut
      expect(error).toMatchObject({ _tag: "GenerationTimeoutError", lastStatus: undefined })
      expect(error.message).toContain("The last poll failed:")
      expect(error.message).toContain("no GPU")
    }).pipe(withEmulator())
  )
})

describe("An invalid timeout", () => {
  const invalid: ReadonlyArray<readonly [string, unknown]> = [
    ["negative", -1],
    ["NaN", Number.NaN],
    ["negative text", "-5 seconds"],
    ["a negative bigint", -5n],
    ["negative seconds and nanoseconds", [-1, 0]],
    ["NaN seconds", [Number.NaN, 0]],
    ["no duration", "soon"]
  ]

  // fault: Submit | A timeout that is negative, NaN or no duration | `InvalidRequestError`, nothing is sent
  it.effect.each(invalid)("fails before anything is sent: %s", ([, value]) =>
    Effect.gen(function* () {
      const timeout = value as Duration.DurationInput
      const expected = { _tag: "InvalidRequestError", field: "timeout" }
      expect(yield* Effect.flip(Arta.run(cat, { timeout }))).toMatchObject(expected)
      expect(yield* Effect.flip(Stream.runDrain(Arta.generate(cat, { timeout })))).toMatchObject(expected)
      expect(yield* Effect.flip(Stream.runDrain(Arta.watch("record-1", { timeout })))).toMatchObject(expected)
      expect(yield* counts).toMatchObject({ signUp: 0, submit: 0, status: 0 })
    }).pipe(withEmulator())
  )
})
