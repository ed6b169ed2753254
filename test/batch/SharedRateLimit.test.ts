import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Array, Context, Effect, Layer, Logger, LogLevel, Ref } from "effect"
import { ArtaApi, Auth } from "effect-arta"
import { BatchDatabase, SharedRateLimit } from "effect-arta/batch"
import { sqliteFile } from "../support/batch/databases.js"
import { recordId, request } from "../support/batch/imageService.js"
import { finish, inTime, passSeconds } from "../support/batch/passTime.js"
import { limitedService } from "../support/limitedService.js"

/** Starts processes that share a database and a service, which allows one submission in 30 seconds. */
const makeWorld = Effect.gen(function* () {
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
  return { database, service, start }
})

describe("SharedRateLimit", () => {
  // fault: Batch database | The service limits the rate of one process | all processes wait
  it.scoped("lets every process wait when the service refuses a request of one", () =>
    Effect.gen(function* () {
      const { service, start } = yield* makeWorld
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

  // fault: Batch database | A refusal of the service cannot be shared | a warning, and the process that was refused waits
  it.scoped("warns, and limits only its own process, if the database cannot share the cooldown", () =>
    Effect.gen(function* () {
      const logged = yield* Ref.make<ReadonlyArray<string>>([])
      const logger = Logger.make(({ logLevel, message }) => {
        Effect.runSync(Ref.update(logged, Array.append(`${logLevel.label} ${String(message)}`)))
      })
      const { database, service, start } = yield* makeWorld
      yield* Effect.gen(function* () {
        const one = yield* start
        yield* database.query("DROP TABLE arta_cooldowns")
        yield* inTime(one.submit(request))
        yield* inTime(Effect.flip(one.submit(request)))
        yield* passSeconds(2)
        const before = service.received.length
        expect(yield* inTime(Effect.flip(one.submit(request)))).toMatchObject({ _tag: "RateLimitedError" })
        expect(service.received.length).toBe(before)
        const refused = "in the database: SQLite refused the statement (SQLITE_ERROR)."
        expect(new Set(yield* logged)).toEqual(
          new Set([`DEBUG Could not read the rate limit ${refused}`, `WARN Could not share the rate limit ${refused}`])
        )
      }).pipe(Logger.withMinimumLogLevel(LogLevel.Debug), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    })
  )

  it.scoped("delays a submission until the cooldown ends, then lets it through", () =>
    Effect.gen(function* () {
      const { service, start } = yield* makeWorld
      const one = yield* start
      yield* inTime(one.submit(request))
      yield* inTime(Effect.flip(one.submit(request)))
      const waiting = yield* Effect.fork(one.limitSubmissions?.(one.submit(request)) ?? Effect.dieMessage("No limit."))
      yield* passSeconds(15)
      expect(service.received).toHaveLength(2)
      yield* passSeconds(20)
      yield* finish(waiting)
      expect(service.received.filter(({ refused }) => refused)).toHaveLength(1)
    })
  )
})
