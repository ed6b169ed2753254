import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Arta } from "effect-arta"
import { BatchDatabase, TokenStore } from "effect-arta/batch"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator } from "effect-arta/testing"
import { sqliteFile } from "../support/batch/databases.js"
import { sharedSessionSuite } from "../support/batch/sharedSessionSuite.js"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
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
