import type * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Effect from "effect/Effect"
import { migrations } from "./tables.js"

interface Target<E> {
  readonly sql: SqlClient.SqlClient
  readonly prefix: string
  readonly now: Fragment
  readonly transaction: <A>(operation: string, statements: Effect.Effect<A, SqlError>) => Effect.Effect<A, E>
}

// Any number that other programs are unlikely to lock.
const advisoryLock = 7_310_426_981

/**
 * Creates or changes the tables, in one transaction that other programs wait for. `@effect/sql`'s Migrator 0.52 has no
 * lock on SQLite, and on PostgreSQL it fails in the program that comes second.
 */
export const migrate = <E>({ now, prefix, sql, transaction }: Target<E>): Effect.Effect<void, E> => {
  const table = `${prefix}migrations`
  const lock = sql.onDialectOrElse({
    pg: () => sql.unsafe(`SELECT pg_advisory_xact_lock(${String(advisoryLock)})`),
    // The transaction holds the write lock already.
    orElse: () => Effect.void
  })
  const done = sql.unsafe<{ readonly id: number }>(`SELECT id FROM ${table}`)

  return transaction(
    "create the tables",
    Effect.gen(function* () {
      yield* lock
      yield* sql.unsafe(
        `CREATE TABLE IF NOT EXISTS ${table} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, done_at DOUBLE PRECISION NOT NULL)`
      )
      const ids = new Set((yield* done).map(({ id }) => id))
      for (const { id, name, statements } of migrations) {
        if (ids.has(id)) continue
        for (const statement of statements(prefix)) yield* sql.unsafe(statement)
        yield* sql`INSERT INTO ${sql.literal(table)} (id, name, done_at) VALUES (${id}, ${name}, ${now})`
      }
    })
  )
}
