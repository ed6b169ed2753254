import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import * as SqlClient from "@effect/sql/SqlClient"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import type { Scope } from "effect"
import { Effect, Layer, Redacted, TestServices } from "effect"
import * as Postgres from "../postgres.js"

/** A database that tests open as often as they like. Each opening is a client of its own, as in another process. */
export interface TestDatabase {
  readonly open: Layer.Layer<SqlClient.SqlClient>
  /** Runs a statement on a client of its own. */
  readonly query: (sql: string) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>
}

const opened = (layer: Layer.Layer<SqlClient.SqlClient, unknown>): TestDatabase => {
  const open = Layer.orDie(Layer.fresh(layer))
  return {
    open,
    query: (text) =>
      Effect.flatMap(SqlClient.SqlClient, (sql) => sql.unsafe<Record<string, unknown>>(text)).pipe(
        Effect.provide(open),
        Effect.orDie,
        TestServices.provideLive
      )
  }
}

/** A new SQLite file. */
export const sqliteFile: Effect.Effect<TestDatabase, never, Scope.Scope> = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  return opened(SqliteClient.layer({ filename: `${directory}/batch.sqlite` }))
}).pipe(Effect.provide(NodeContext.layer), Effect.orDie)

/** A database on a running PostgreSQL server. `empty` drops its tables, which is faster than another database. */
export const postgresDatabase: Effect.Effect<
  { readonly empty: Effect.Effect<TestDatabase & { readonly url: string }> },
  never,
  Postgres.Postgres
> = Effect.gen(function* () {
  const url = yield* (yield* Postgres.Postgres).createDatabase
  // The command has this limit, too. Without one, a connection that the server never answers would wait without end.
  const options = { url: Redacted.make(url), maxConnections: 4, connectTimeout: "10 seconds" } as const
  const database = opened(PgClient.layer(options))
  return { empty: Effect.as(database.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public"), { ...database, url }) }
})
