import { Effect } from "effect"
import { rmSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Postgres from "../../test/support/postgres.js"

export interface Database {
  readonly name: "PostgreSQL" | "SQLite"
  /** Creates an empty database, and returns its URL. */
  readonly create: () => Promise<string>
  /** The transactions so far. SQLite does not count them. */
  readonly transactions: (url: string) => Promise<number>
  /** The bytes of each table with its indexes, by name. */
  readonly sizes: (url: string) => Promise<ReadonlyArray<readonly [name: string, bytes: number]>>
}

const tableSizes = `select relname || ':' || pg_relation_size(oid) from pg_class
  where relkind in ('r', 'i') and relname like 'arta_%' order by relname`

/** Starts PostgreSQL with its default settings, so each commit waits for the disk. */
export const withPostgres = <A>(use: (database: Database) => Promise<A>): Promise<A> =>
  Postgres.make({}).pipe(
    Effect.flatMap((server) =>
      Effect.promise(() =>
        use({
          name: "PostgreSQL",
          create: () => Effect.runPromise(server.createDatabase),
          transactions: (url) => Effect.runPromise(server.transactions(url)),
          sizes: async (url) =>
            (await Effect.runPromise(server.query(url, tableSizes)))
              .trim()
              .split("\n")
              .map((line) => [line.split(":")[0] ?? "", Number(line.split(":")[1])])
        })
      )
    ),
    Effect.scoped,
    Effect.runPromise
  )

/** SQLite in a new directory. */
export const withSqlite = async <A>(use: (database: Database) => Promise<A>): Promise<A> => {
  const directory = await mkdtemp(join(tmpdir(), "effect-arta-bench-"))
  let databases = 0
  try {
    return await use({
      name: "SQLite",
      create: () => Promise.resolve(`sqlite:${directory}/${String((databases += 1))}.sqlite`),
      transactions: () => Promise.resolve(Number.NaN),
      sizes: () => Promise.resolve([])
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
}
