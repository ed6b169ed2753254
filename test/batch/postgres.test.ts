import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, ManagedRuntime } from "effect"
import { BatchDatabase, SubmissionLedger, TokenStore } from "effect-arta/batch"
import { ArtaEmulator } from "effect-arta/testing"
import { afterAll } from "vitest"
import { postgresDatabase } from "../support/batch/databases.js"
import { durableBatchSuite } from "../support/batch/durableBatchSuite.js"
import { imageService, request } from "../support/batch/imageService.js"
import { ledgerSuite } from "../support/batch/ledgerSuite.js"
import { inTime, passSeconds } from "../support/batch/passTime.js"
import { processesSuite } from "../support/batch/processesSuite.js"
import { sharedSessionSuite } from "../support/batch/sharedSessionSuite.js"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import * as Postgres from "../support/postgres.js"
import { bundleProgram, startProgram } from "../support/program.js"
import { tokenStoreSuite } from "../support/tokenStoreSuite.js"

describe.skipIf(Postgres.isSkipped)("SubmissionLedger.layerSql on PostgreSQL", { timeout: 60_000 }, () => {
  const server = ManagedRuntime.make(Postgres.layer)
  afterAll(() => server.dispose())
  const layer = Layer.effect(
    Postgres.Postgres,
    Effect.promise(() => server.runPromise(Postgres.Postgres))
  )
  const once = Effect.runSync(Effect.cached(Effect.provide(postgresDatabase, layer)))
  const database = Effect.flatMap(once, ({ empty }) => empty)

  ledgerSuite(
    Effect.map(database, ({ open }) =>
      SubmissionLedger.layerSql().pipe(Layer.provide(BatchDatabase.layer()), Layer.provide(open), Layer.orDie)
    )
  )
  processesSuite(database)

  tokenStoreSuite(
    Layer.unwrapEffect(
      Effect.map(database, ({ open }) =>
        TokenStore.layerSql.pipe(Layer.provide(BatchDatabase.layer()), Layer.provide(open))
      )
    )
  )
  sharedSessionSuite(database)

  it.scopedLive("has one account for several processes", () =>
    Effect.gen(function* () {
      const { url } = yield* database
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const program = yield* Effect.promise(() => bundleProgram("askForSharedToken", directory))
      const options = JSON.stringify({ apiKey: "k", database: url, ...(yield* ArtaEmulator.urls) })
      const processes = yield* Effect.all(Effect.replicate(startProgram(program, options), 3))
      const tokens = yield* Effect.all(
        processes.map(({ nextLine }) => nextLine),
        { concurrency: "unbounded" }
      )
      expect(new Set(tokens).size).toBe(1)
      const { counts } = yield* ArtaEmulator.ArtaEmulator
      expect(yield* counts).toMatchObject({ signUp: 1 })
    }).pipe(Effect.provide(Layer.merge(emulatorOnPort(), NodeContext.layer)))
  )

  // fault: Batch database | PostgreSQL restarts while a submission is being sent | its response is recorded afterwards
  it.effect.each(["fast", "immediate"] as const)("records a response after a restart: %s", (mode) =>
    Effect.gen(function* () {
      const { start, stop } = yield* Postgres.Postgres
      const { open } = yield* database
      const stopped = yield* Deferred.make<boolean>()
      const service = yield* imageService({
        onSubmit: () => Effect.zipRight(stop(mode), Deferred.succeed(stopped, true))
      })
      const draw = SubmissionLedger.draw("key", request).pipe(
        Effect.provide(
          SubmissionLedger.layerSql().pipe(
            Layer.provide(BatchDatabase.layer()),
            Layer.provide(open),
            Layer.merge(service.layer)
          )
        )
      )
      const fiber = yield* Effect.fork(inTime(draw))
      yield* Deferred.await(stopped)
      yield* passSeconds(120)
      yield* start
      expect((yield* Fiber.join(fiber)).recordId).toBe("record-1")
      expect(yield* service.posts).toBe(1)
    }).pipe(Effect.provide(layer))
  )
})

describe.skipIf(Postgres.isSkipped)("Durable batches on PostgreSQL", { timeout: 60_000 }, () => {
  const server = ManagedRuntime.make(Postgres.layer)
  afterAll(() => server.dispose())
  const database = Effect.flatMap(
    Effect.promise(() => server.runPromise(Postgres.Postgres)),
    (postgres) => Effect.provideService(postgresDatabase, Postgres.Postgres, postgres)
  ).pipe(Effect.flatMap(({ empty }) => empty))
  durableBatchSuite(database)
})
