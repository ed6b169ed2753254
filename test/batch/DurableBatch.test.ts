import { describe } from "@effect/vitest"
import { sqliteFile } from "../support/batch/databases.js"
import { durableBatchSuite } from "../support/batch/durableBatchSuite.js"

describe("On SQLite", () => {
  durableBatchSuite(sqliteFile)
})
