import { batchTables } from "./batchTables.js"
import { ledgerTables } from "./ledgerTables.js"

/** The tables of this entry, without the prefix. */
export type TableName = "migrations" | "runners" | "submissions" | "sessions" | "cooldowns" | "batches" | "rows"

/** A change to the tables. Each runs once per database, in this order. */
export interface Migration {
  readonly id: number
  readonly name: string
  /** The statements of the change. Both dialects understand them. */
  readonly statements: (prefix: string) => ReadonlyArray<string>
}

export const migrations: ReadonlyArray<Migration> = [
  { id: 1, name: "ledger", statements: ledgerTables },
  { id: 2, name: "batches", statements: batchTables }
]
