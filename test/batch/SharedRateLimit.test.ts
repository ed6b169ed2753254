import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { ArtaApi, Auth } from "effect-arta"
import { BatchDatabase, SharedRateLimit } from "effect-arta/batch"
import { sqliteFile } from "../support/batch/databases.js"
import { recordId, request } from "../support/batch/imageService.js"
import { finish, inTime, passSeconds } from "../support/batch/passTime.js"
import { limitedService } from "../support/limitedService.js"

describe("SharedRateLimit", () => {
  // fault: Batch database | The service limits the rate of one process | all processes wait
  it.scoped("lets every process wait when the service refuses a request of one", () =>
    Effect.gen(function* () {
      const database = yield* sqliteFile
      const service = limitedService({ kind: "sliding window", retryAfter: true, interval: 30_000 })
      const start = Effect.map(
        Layer.build(
          Layer.fresh(SharedRateLimit.layer).pipe(
            Layer.provide(Layer.fresh(ArtaApi.layer())),
            Layer.provide(Layer.succeed(HttpClient.HttpClient, service.client)),
            Layer.provide(Auth.layerToken("token")),
            Layer.provide(BatchDatabase.layer()),
            Layer.provide(database.open)
          )
        ),
        (context) => Context.get(context, ArtaApi.ArtaApi)
      )
      const one = yield* start
      const two = yield* start

      yield* inTime(one.submit(request))
      yield* inTime(Effect.flip(one.submit(request)))
      yield* passSeconds(2)
      const before = service.received.length
      const status = yield* Effect.fork(two.status(recordId(0)))
      expect(yield* inTime(Effect.flip(two.submit(request)))).toMatchObject({ _tag: "RateLimitedError" })
      yield* passSeconds(15)
      expect(service.received.length).toBe(before)
      expect(yield* finish(status)).toMatchObject({ _tag: "Done" })
      expect(service.received.filter(({ refused }) => refused)).toHaveLength(1)
    })
  )
})
