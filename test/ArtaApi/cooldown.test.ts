import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, TestClock } from "effect"
import { ArtaApi, Auth, GenerateRequest, Generation } from "effect-arta"
import { makeResponse } from "../support/response.js"

const request = new GenerateRequest.GenerateRequest({ prompt: "a cat" })
const recordId = Generation.RecordId.make("rec-1")

/** A service whose responses to submissions arrive after some seconds, as a rate limit or without one. */
const withService = <A, E>(
  submissions: ReadonlyArray<{ readonly after: number; readonly retryAfter?: number }>,
  test: (api: ArtaApi.Service, sent: ReadonlyArray<string>) => Effect.Effect<A, E>
) => {
  const sent: Array<string> = []
  const pending = [...submissions]
  const client = HttpClient.make((httpRequest) => {
    sent.push(httpRequest.method)
    if (httpRequest.method === "GET") {
      return Effect.succeed(
        makeResponse(httpRequest, { status: 200 }, Effect.succeed(JSON.stringify({ status: "IN_QUEUE" })))
      )
    }
    const { after, retryAfter } = pending.shift() ?? { after: 0 }
    const headers = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }
    const response = makeResponse(httpRequest, { status: 429, headers }, Effect.succeed("{}"))
    return Effect.delay(Effect.succeed(response), Duration.seconds(after))
  })
  return Effect.flatMap(ArtaApi.ArtaApi, (api) => test(api, sent)).pipe(
    Effect.provide(
      Layer.provide(
        ArtaApi.layer(),
        Layer.merge(Auth.layerToken("token"), Layer.succeed(HttpClient.HttpClient, client))
      )
    )
  )
}

describe("The cooldown of ArtaApi", () => {
  // fault: Submit | A shorter Retry-After, or none, after a longer one | the longer wait
  it.effect.each<[string, { readonly after: number; readonly retryAfter?: number }]>([
    ["a shorter Retry-After", { after: 2, retryAfter: 5 }],
    ["a rate limit without Retry-After", { after: 2 }]
  ])("is not shortened by %s", ([, later]) =>
    withService([{ after: 1, retryAfter: 60 }, later], (api, sent) =>
      Effect.gen(function* () {
        const submissions = yield* Effect.fork(
          Effect.all([Effect.flip(api.submit(request)), Effect.flip(api.submit(request))], { concurrency: 2 })
        )
        yield* TestClock.adjust("11 seconds")
        yield* Fiber.join(submissions)
        const error = yield* Effect.flip(api.submit(request))
        expect(error).toMatchObject({ _tag: "RateLimitedError", retryAfter: Duration.seconds(50) })
        expect(sent).toEqual(["POST", "POST"])
      })
    )
  )

  // fault: Poll | Another request gets a longer Retry-After while a poll waits | the longer wait
  it.effect("is extended for a poll that waits already", () =>
    withService(
      [
        { after: 0, retryAfter: 10 },
        { after: 5, retryAfter: 60 }
      ],
      (api, sent) =>
        Effect.gen(function* () {
          const submissions = yield* Effect.fork(
            Effect.all([Effect.flip(api.submit(request)), Effect.flip(api.submit(request))], { concurrency: 2 })
          )
          yield* TestClock.adjust("1 second")
          const poll = yield* Effect.fork(api.status(recordId))
          yield* TestClock.adjust("63 seconds")
          expect(sent).toEqual(["POST", "POST"])
          yield* TestClock.adjust("2 seconds")
          expect(yield* Fiber.join(poll)).toMatchObject({ _tag: "Queued" })
          yield* Fiber.join(submissions)
        })
    )
  )
})
