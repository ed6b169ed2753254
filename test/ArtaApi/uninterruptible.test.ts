import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer, Option, Ref, TestClock } from "effect"
import { ArtaApi, Auth, GenerateRequest } from "effect-arta"
import { makeResponse } from "../support/response.js"

const request = new GenerateRequest.GenerateRequest({ prompt: "a cat" })

/** A service that accepts one request in one and a half seconds, and when they arrived. */
const slowService = (sent: Array<number>) =>
  HttpClient.make((httpRequest) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const isAccepted = now - (sent.at(-1) ?? -1_500) >= 1_500
      if (isAccepted) sent.push(now)
      const body = Effect.succeed(JSON.stringify(isAccepted ? { record_id: "rec" } : {}))
      return makeResponse(httpRequest, { status: isAccepted ? 200 : 429 }, body)
    })
  )

describe("An uninterruptible submission", () => {
  // fault: Submit | An uninterruptible submission is interrupted while it waits for the rate limit | it waits for its record id, one POST
  it.effect("waits for the rate limit and for its record id, even if it is interrupted", () => {
    const sent: Array<number> = []
    return Effect.gen(function* () {
      const api = yield* ArtaApi.ArtaApi
      yield* api.submit(request)
      yield* TestClock.adjust("1 second")
      expect(yield* Effect.flip(api.submit(request))).toMatchObject({ _tag: "RateLimitedError" })
      const found = yield* Ref.make(Option.none<string>())
      const submission = yield* api.submit(request).pipe(
        Effect.tap((recordId) => Ref.set(found, Option.some(recordId))),
        Effect.uninterruptible,
        Effect.fork
      )
      yield* TestClock.adjust("10 millis")
      expect(sent).toHaveLength(1)
      expect(yield* Fiber.poll(submission)).toEqual(Option.none())
      yield* Fiber.interruptFork(submission)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.await(submission)
      expect(yield* Ref.get(found)).toEqual(Option.some("rec"))
      expect(sent).toHaveLength(2)
    }).pipe(
      Effect.provide(
        Layer.provide(ArtaApi.layer(), [
          Auth.layerToken("token"),
          Layer.succeed(HttpClient.HttpClient, slowService(sent))
        ])
      )
    )
  })
})
