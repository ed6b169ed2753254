import { describe, expect, it } from "@effect/vitest"
import { Clock, Duration, Effect, Ref, Schema } from "effect"
import { Arta, ArtaApi, ArtaError, Generation, Polling } from "effect-arta"
import { runToEnd } from "../support/withEmulator.js"

const recordId = Schema.decodeSync(Generation.RecordId)("accepted")
const image = { index: 0, url: "https://p.example/1.png" }

/** Runs a generation with an API that refuses the first request of an operation. Returns when it received each one. */
const timesOf = (operation: "submit" | "status", retryAfter: Duration.Duration | undefined) =>
  Effect.gen(function* () {
    const received = yield* Ref.make<ReadonlyArray<number>>([])
    const request = <A>(name: ArtaError.Operation, response: A) =>
      Effect.gen(function* () {
        if (name !== operation) return response
        const now = yield* Clock.currentTimeMillis
        const before = yield* Ref.getAndUpdate(received, (times) => [...times, now / 1_000])
        return before.length > 0 ? response : yield* new ArtaError.RateLimitedError({ operation, retryAfter })
      })
    const api = ArtaApi.ArtaApi.of({
      submit: () => request("submit", recordId),
      status: () => request<Generation.GenerationStatus>("status", { _tag: "Done", images: [image] })
    })
    yield* Effect.provideService(
      Arta.run({ prompt: "a fox" }, { polling: Polling.fixed("1 second") }),
      ArtaApi.ArtaApi,
      api
    )
    return yield* Ref.get(received)
  })

describe("An ArtaApi of the program's own", () => {
  it.effect.each(["submit", "status"] as const)("repeats a refused %s after its Retry-After", (operation) =>
    Effect.gen(function* () {
      expect(yield* runToEnd(timesOf(operation, Duration.minutes(1)))).toEqual([0, 60])
    })
  )

  it.effect.each(["submit", "status"] as const)("repeats a refused %s within a second without one", (operation) =>
    Effect.gen(function* () {
      const [, again = 0] = yield* runToEnd(timesOf(operation, undefined))
      expect(again).toBeGreaterThan(0)
      expect(again).toBeLessThan(1)
    })
  )
})
