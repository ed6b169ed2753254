import type { SqlClient } from "@effect/sql/SqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import { Layer, Redacted } from "effect"

/** A client of the database at a URL: `sqlite:FILE`, or a URL of PostgreSQL. */
export const databaseLayer = (url: string): Layer.Layer<SqlClient> =>
  url.startsWith("sqlite:")
    ? Layer.orDie(SqliteClient.layer({ filename: url.slice("sqlite:".length) }))
    : Layer.orDie(PgClient.layer({ url: Redacted.make(url) }))
