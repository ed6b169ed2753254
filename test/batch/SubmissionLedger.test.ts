import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { BatchDatabase, SubmissionLedger } from "effect-arta/batch"
import { sqliteFile } from "../support/batch/databases.js"
import { processesSuite } from "../support/batch/processesSuite.js"
import { ledgerSuite } from "../support/batch/ledgerSuite.js"

describe("SubmissionLedger.layerMemory", () => {
  ledgerSuite(Effect.succeed(SubmissionLedger.layerMemory))
})

describe("SubmissionLedger.layerSql on SQLite", () => {
  ledgerSuite(
    Effect.map(sqliteFile, ({ open }) =>
      SubmissionLedger.layerSql().pipe(Layer.provide(BatchDatabase.layer()), Layer.provide(open), Layer.orDie)
    )
  )
  processesSuite(sqliteFile)
})
