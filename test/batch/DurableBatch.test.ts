import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Logger, Ref } from "effect"
import { ArtaApi, Generation } from "effect-arta"
import { DurableBatch } from "effect-arta/batch"
import { sqliteFile } from "../support/batch/databases.js"
import { emulate, makeWorld, rowsOf } from "../support/batch/durableBatch.js"
import { durableBatchSuite } from "../support/batch/durableBatchSuite.js"

describe("On SQLite", () => {
  durableBatchSuite(sqliteFile)

  // fault: Batch database | The database refuses to record several accepted submissions | each record id is logged
  it.scopedLive("logs every record id that the database refuses", () =>
    Effect.gen(function* () {
      const { asProcess, change } = yield* makeWorld(sqliteFile)
      const logged = yield* Ref.make("")
      const logger = Logger.make(({ message }) => {
        Effect.runSync(Ref.update(logged, (text) => `${text}${String(message)}\n`))
      })
      yield* Effect.gen(function* () {
        const { batch } = yield* DurableBatch.enqueue(rowsOf("a fox", "a hare"))
        yield* change(`
          CREATE TRIGGER refuse BEFORE UPDATE OF record_id ON arta_submissions
          BEGIN SELECT RAISE(ABORT, 'refused'); END`)
        const api = yield* ArtaApi.ArtaApi
        const count = yield* Ref.make(0)
        const both = yield* Deferred.make<undefined>()
        const submit: ArtaApi.Service["submit"] = (request) =>
          Effect.gen(function* () {
            if ((yield* Ref.updateAndGet(count, (n) => n + 1)) === 2) yield* Deferred.succeed(both, undefined)
            yield* Deferred.await(both)
            return Generation.RecordId.make(`record of ${request.prompt}`)
          })
        const error = yield* Effect.flip(DurableBatch.runUntilDone(batch)).pipe(
          Effect.provideService(ArtaApi.ArtaApi, { ...api, submit })
        )
        expect(error._tag).toBe("DatabaseError")
      }).pipe(asProcess(), emulate(), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      expect(yield* logged).toMatch(/accepted the generation record of a fox/)
      expect(yield* logged).toMatch(/accepted the generation record of a hare/)
    })
  )
})
