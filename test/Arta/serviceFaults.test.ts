import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import { Arta } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { collect, counts, withEmulator, inject, runToEnd, tags } from "../support/withEmulator.js"

const cat = { prompt: "a cat", seed: 12_345 }

describe("Arta.generate on faults of the service", () => {
  // fault: Poll | A failed poll, in virtual time | nothing
  it.effect.each<[string, Fault.Fault]>([
    ["408", Fault.respond("status", 408)],
    ["500", Fault.respond("status", 500)],
    ["a gateway's HTML", Fault.respond("status", 502, { body: "<h1>Bad gateway</h1>" })],
    ["a rate limit", Fault.respond("status", 429)],
    ["an unreadable response", Fault.respond("status", 200, { body: "<h1>Hello</h1>" })],
    ["a lost connection", Fault.drop("status")],
    ["silence", Fault.hang("status")]
  ])("continues to poll after %s, without a second submission", ([, fault]) =>
    Effect.gen(function* () {
      yield* inject(fault, fault)
      expect(tags(yield* collect(Arta.generate(cat)))).toContain("Completed")
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator({ queueTime: "10 seconds", drawTime: "30 seconds" }))
  )

  // fault: Poll | 429 with Retry-After at a poll | the wait that the service asks for
  it.effect("waits for Retry-After after a rate limit at a poll", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("status", 429, { headers: { "retry-after": "60" } }))
      const fiber = yield* Effect.fork(Arta.run(cat))
      yield* TestClock.adjust("55 seconds")
      expect(yield* counts).toMatchObject({ status: 1 })
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(fiber)
    }).pipe(withEmulator())
  )

  // fault: Submit | 429 or 503 with Retry-After at a submission | the wait that the service asks for
  it.effect("submits again after Retry-After", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 429, { headers: { "retry-after": "30" } }))
      const fiber = yield* Effect.fork(Arta.run(cat))
      yield* TestClock.adjust("29 seconds")
      expect(yield* counts).toMatchObject({ submit: 1 })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      expect(yield* counts).toMatchObject({ submit: 2 })
    }).pipe(withEmulator())
  )

  // fault: Submit | Other requests while Retry-After runs | the same wait
  it.effect("applies a rate limit to all requests of the program", () =>
    Effect.gen(function* () {
      const polling = yield* Effect.fork(Arta.run(cat))
      yield* TestClock.adjust("5 seconds")
      yield* inject(Fault.respond("submit", 503, { headers: { "retry-after": "60" } }))
      const limited = yield* Effect.fork(Arta.run(cat))
      yield* TestClock.adjust("1 second")
      const { status } = yield* counts
      yield* TestClock.adjust("50 seconds")
      expect(yield* counts).toMatchObject({ submit: 2, status })
      yield* TestClock.adjust("2 minutes")
      yield* Fiber.join(polling)
      yield* Fiber.join(limited)
    }).pipe(withEmulator({ queueTime: "10 seconds", drawTime: "30 seconds" }))
  )

  // fault: Submit | Retry-After beyond the timeout | `RateLimitedError` at once
  it.effect("fails at once if Retry-After exceeds the timeout", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 429, { headers: { "retry-after": "999999999" } }))
      const error = yield* Effect.flip(Arta.run(cat))
      expect(error).toMatchObject({ _tag: "RateLimitedError", operation: "submit" })
    }).pipe(withEmulator())
  )

  // fault: Submit | The limiter's queue is longer than the timeout | `RateLimitedError` at once, no POST
  it.effect("fails without a request if the cooldown exceeds the timeout", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 429, { headers: { "retry-after": "600" } }))
      yield* Effect.flip(Arta.run(cat))
      yield* TestClock.adjust("1 minute")
      const error = yield* Effect.flip(Arta.run(cat))
      const retryAfter = Duration.minutes(9)
      expect(error).toMatchObject({ _tag: "RateLimitedError", operation: "submit", retryAfter })
      expect(yield* counts).toMatchObject({ submit: 1 })
      const fiber = yield* Effect.fork(Arta.run(cat, { timeout: "15 minutes" }))
      yield* TestClock.adjust("15 minutes")
      yield* Fiber.join(fiber)
    }).pipe(withEmulator())
  )

  // fault: Submit | A rate limit that outlasts the timeout | `RateLimitedError`
  it.effect("reports a rate limit that outlasts the timeout as RateLimitedError", () =>
    Effect.gen(function* () {
      yield* inject(...Array.from({ length: 200 }, () => Fault.respond("submit", 429)))
      const error = yield* runToEnd(Effect.flip(Arta.run(cat)))
      expect(error).toMatchObject({ _tag: "RateLimitedError", operation: "submit" })
    }).pipe(withEmulator())
  )

  // fault: Poll | 404 right after a slow submission | nothing
  it.effect("tolerates a 404 right after a slow submission", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("submit", 429, { headers: { "retry-after": "15" } }), Fault.respond("status", 404))
      expect(tags(yield* collect(Arta.generate(cat)))).toContain("Completed")
      expect(yield* counts).toMatchObject({ submit: 2 })
    }).pipe(withEmulator())
  )

  // fault: Poll | 404 right after the submission | nothing, or `ResponseError`
  it.effect("tolerates a 404 right after the submission for a short time", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("status", 404), Fault.respond("status", 404))
      expect(tags(yield* collect(Arta.generate(cat)))).toContain("Completed")
      yield* inject(...Array.from({ length: 50 }, () => Fault.respond("status", 404)))
      const error = yield* runToEnd(Effect.flip(Arta.run(cat)), "15 seconds")
      expect(error).toMatchObject({ _tag: "ResponseError", status: 404 })
    }).pipe(withEmulator())
  )

  // fault: Poll | The token expires during polling | nothing
  it.effect("refreshes a token that expires during polling", () =>
    Effect.gen(function* () {
      const emulator = yield* ArtaEmulator.ArtaEmulator
      const fiber = yield* Effect.fork(Arta.run(cat))
      yield* TestClock.adjust("5 seconds")
      yield* emulator.expireTokens
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1, submit: 1 })
    }).pipe(withEmulator({ queueTime: "10 seconds", drawTime: "30 seconds" }))
  )

  // fault: Poll | Any error ends the polling | the error, with the record id
  it.effect.each<[string, object, Fault.Fault]>([
    ["a refused poll", { _tag: "ResponseError", status: 403 }, Fault.respond("status", 403)],
    [
      "a disabled account",
      { _tag: "AuthError", reason: "USER_DISABLED" },
      Fault.identityError("refresh", "USER_DISABLED")
    ]
  ])("reports the record id after %s, to resume the generation", ([, expected, fault]) =>
    Effect.gen(function* () {
      const emulator = yield* ArtaEmulator.ArtaEmulator
      const fiber = yield* Effect.fork(Effect.flip(Arta.run(cat)))
      yield* TestClock.adjust("2 seconds")
      yield* emulator.inject(fault)
      if (fault.on === "refresh") yield* emulator.expireTokens
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      expect(error).toMatchObject(expected)
      const recordId = "recordId" in error ? (error.recordId ?? "") : ""
      expect(error.message).toContain(recordId)
      expect(tags(yield* collect(Arta.watch(recordId)))).toEqual(["Completed"])
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator({ queueTime: "10 seconds", drawTime: "30 seconds" }))
  )
})
