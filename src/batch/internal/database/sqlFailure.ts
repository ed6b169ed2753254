import type { SqlError } from "@effect/sql/SqlError"
import * as Predicate from "effect/Predicate"

/** Why a statement failed, without anything that its message may repeat: URLs, names, values. */
export interface SqlFailure {
  readonly reason: string
  /** Whether the statement may succeed later without any change to it. */
  readonly isTransient: boolean
}

const codeOf = (cause: unknown): string =>
  Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) && /^[A-Z0-9_]{3,40}$/.test(cause.code)
    ? cause.code
    : ""

const known: Readonly<Record<string, string>> = {
  "28000": "PostgreSQL refused the user",
  "28P01": "PostgreSQL refused the password",
  "3D000": "there is no such database",
  "42501": "the user has no permission for this",
  "42P01": "a table is missing",
  "42703": "a table lacks a column",
  "53100": "the disk is full",
  "25006": "the database is read-only",
  SQLITE_FULL: "the disk is full",
  SQLITE_READONLY: "the file is read-only",
  SQLITE_CANTOPEN: "the file cannot be opened",
  SQLITE_NOTADB: "the file is not an SQLite database",
  SQLITE_CORRUPT: "the file is damaged",
  SQLITE_BUSY: "another process holds the file's lock"
}

// Connection exceptions, insufficient resources, shutdown and restart, deadlocks, and a lock that is not available. A
// server that has failed over is read-only until it is promoted.
const transientState = /^(08|53|57|40|58)|^(25006|55P03)$/

// A full disk may get room again, and a record id that cannot be written yet must not be lost meanwhile.
const transientSqlite = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|PROTOCOL)/

// Without a code, `pg` describes a lost connection in words. Errors of the program, such as `TypeError`, do not match.
const lostConnection = /terminat|connection (error|ended|closed)|not queryable|timeout|timed out|socket/i

const describe = (code: string): string => {
  const isState = /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)
  const what = known[code] ?? (isState ? "PostgreSQL refused the statement" : "the connection failed")
  return `${what} (${code})`
}

const isTransientCode = (code: string): boolean => {
  if (code.startsWith("SQLITE_")) return transientSqlite.test(code)
  if (code.startsWith("ERR_")) return false
  // The other codes are those of sockets, such as ECONNREFUSED, and ENOENT for a socket in the file system.
  return /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code) ? transientState.test(code) : /^E[A-Z_]+$/.test(code)
}

export const sqlFailure = ({ cause }: SqlError): SqlFailure => {
  const code = codeOf(cause)
  if (code.startsWith("SQLITE_")) {
    const what = known[code] ?? known[code.split("_", 2).join("_")] ?? "SQLite refused the statement"
    return { reason: `${what} (${code})`, isTransient: isTransientCode(code) }
  }
  if (code !== "") return { reason: describe(code), isTransient: isTransientCode(code) }
  const text = cause instanceof Error ? cause.message : ""
  return lostConnection.test(text) && !(cause instanceof TypeError)
    ? { reason: "the connection was lost", isTransient: true }
    : { reason: "the driver reports an unexpected error", isTransient: false }
}
