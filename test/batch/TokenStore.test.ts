import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { Arta } from "effect-arta"
import { BatchDatabase, TokenStore } from "effect-arta/batch"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator } from "effect-arta/testing"
import { sqliteFile } from "../support/batch/databases.js"
import { sharedSessionSuite, startStore } from "../support/batch/sharedSessionSuite.js"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { session } from "../support/onDisk.js"
import { tokenStoreSuite } from "../support/tokenStoreSuite.js"

describe("TokenStore.layerSql on SQLite", () => {
  tokenStoreSuite(
    Layer.unwrapScoped(
      Effect.map(sqliteFile, ({ open }) =>
        TokenStore.layerSql.pipe(Layer.provide(BatchDatabase.layer()), Layer.provide(open))
      )
    )
  )
  sharedSessionSuite(sqliteFile)

  it.scoped("says what it could not do with the session", () =>
    Effect.gen(function* () {
      const database = yield* sqliteFile
      const store = yield* startStore(database)
      yield* database.query("DROP TABLE arta_sessions")
      const failures = {
        load: Effect.flip(store.load),
        save: Effect.flip(store.save(session("a"))),
        clear: Effect.flip(store.clear)
      }
      for (const [operation, failure] of Object.entries(failures)) {
        expect(yield* failure).toMatchObject({
          _tag: "TokenStoreError",
          operation,
          path: "the table of sessions",
          reason: "SQLite refused the statement (SQLITE_ERROR)"
        })
      }
    })
  )

  it.scoped("has no session in an empty row, and none that it cannot read", () =>
    Effect.gen(function* () {
      const database = yield* sqliteFile
      const store = yield* startStore(database)
      const insert = (text: string, version: string) =>
        database.query(
          `INSERT OR REPLACE INTO arta_sessions (name, credentials, version, written_at) VALUES ('credentials', '${text}', ${version}, 0)`
        )
      yield* insert(" \n", "'1'")
      expect(yield* store.load).toEqual(Option.none())
      expect(yield* database.query("SELECT name FROM arta_sessions")).toEqual([{ name: "credentials" }])
      yield* insert("{}", "x'00'")
      expect(yield* Effect.flip(store.load)).toMatchObject({ operation: "load", reason: "its row is not readable" })
    })
  )

  it.scopedLive("has one account for several runtimes with NodeArta.layerWithoutTokenStore", () =>
    Effect.gen(function* () {
      const { open } = yield* sqliteFile
      const options = { apiKey: "k", ...(yield* ArtaEmulator.urls) }
      const run = Arta.run({ prompt: "a fox" }).pipe(
        Effect.provide(
          NodeArta.layerWithoutTokenStore(options).pipe(
            Layer.provide(TokenStore.layerSql),
            Layer.provide(BatchDatabase.layer()),
            Layer.provide(open)
          )
        )
      )
      yield* Effect.all(Effect.replicate(run, 3), { concurrency: "unbounded" })
      const { counts } = yield* ArtaEmulator.ArtaEmulator
      expect(yield* counts).toMatchObject({ signUp: 1, submit: 3 })
    }).pipe(Effect.provide(emulatorOnPort()))
  )
})
