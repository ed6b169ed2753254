import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect } from "effect"

/** Changes the tables of the command in a SQLite file. The statements get what the names of its tables start with. */
export const editDatabase = (filename: string, statements: (prefix: string) => ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const tables = yield* sql<{ readonly name: string }>`SELECT name FROM sqlite_master WHERE name LIKE '%_batches'`
    for (const { name } of tables) {
      for (const statement of statements(name.replace(/batches$/, ""))) yield* sql.unsafe(statement)
    }
  }).pipe(Effect.provide(SqliteClient.layer({ filename })))
