import { HttpClient, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Queue, TestClock } from "effect"
import { ArtaApi, Auth, Generation } from "effect-arta"

const recordId = Generation.RecordId.make("record-1")

/** An `ArtaApi` whose requests wait in a queue for their responses. */
const makeApi = Effect.gen(function* () {
  const requests = yield* Queue.unbounded<Deferred.Deferred<Response>>()
  const client = HttpClient.make((request) =>
    Effect.gen(function* () {
      const response = yield* Deferred.make<Response>()
      yield* Queue.offer(requests, response)
      return HttpClientResponse.fromWeb(request, yield* Deferred.await(response))
    })
  )
  const api = yield* Effect.provide(
    ArtaApi.make(),
    Layer.merge(Auth.layerToken("token"), Layer.succeed(HttpClient.HttpClient, client))
  )
  return {
    poll: Effect.fork(Effect.ignore(api.status(recordId))),
    /** Responds to the oldest request with a rate limit. */
    limit: (seconds: number) =>
      Effect.gen(function* () {
        const response = yield* Queue.take(requests)
        const headers = { "retry-after": String(seconds) }
        yield* Deferred.succeed(response, new Response("{}", { status: 429, headers }))
        yield* TestClock.adjust(0)
      }),
    waiting: Queue.size(requests)
  }
})

describe("The wait after a rate limit", () => {
  // fault: Poll | Two rate limits at the same time, the shorter one last | the longer wait
  it.effect("does not get shorter", () =>
    Effect.gen(function* () {
      const { limit, poll, waiting } = yield* makeApi
      yield* poll
      yield* poll
      yield* limit(60)
      yield* limit(5)
      yield* poll
      yield* TestClock.adjust("59 seconds")
      expect(yield* waiting).toBe(0)
      yield* TestClock.adjust("1 second")
      expect(yield* waiting).toBe(1)
    })
  )

  // fault: Poll | Another rate limit while a poll waits for the end of one | the new wait
  it.effect("gets longer for a request that already waits", () =>
    Effect.gen(function* () {
      const { limit, poll, waiting } = yield* makeApi
      yield* poll
      yield* poll
      yield* limit(5)
      yield* poll
      yield* TestClock.adjust("2 seconds")
      yield* limit(60)
      yield* TestClock.adjust("59 seconds")
      expect(yield* waiting).toBe(0)
      yield* TestClock.adjust("1 second")
      expect(yield* waiting).toBe(1)
    })
  )
})
