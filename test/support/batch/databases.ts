import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import type { SqlClient } from "@effect/sql/SqlClient"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, Layer } from "effect"

/** A database that tests open as often as they like. Each opening is a client of its own, as in another process. */
export interface TestDatabase {
  readonly open: Layer.Layer<SqlClient, unknown>
}

/** A new SQLite file. */
export const sqliteFile = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const database: TestDatabase = { open: Layer.fresh(SqliteClient.layer({ filename: `${directory}/batch.sqlite` })) }
  return database
}).pipe(Effect.provide(NodeContext.layer))
