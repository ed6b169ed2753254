/**
 * The tables of the ledger, the runners, the sessions and the cooldowns. Times are milliseconds since the Unix epoch,
 * as floating-point numbers: `pg` returns 64-bit integers as text.
 */
export const ledgerTables = (prefix: string): ReadonlyArray<string> => [
  `CREATE TABLE ${prefix}runners (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at DOUBLE PRECISION NOT NULL,
    heartbeat_at DOUBLE PRECISION NOT NULL,
    steady_since DOUBLE PRECISION NOT NULL,
    stopped_at DOUBLE PRECISION
  )`,
  `CREATE TABLE ${prefix}submissions (
    key TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    intent TEXT NOT NULL,
    request TEXT NOT NULL,
    record_id TEXT,
    intended_at DOUBLE PRECISION NOT NULL,
    recorded_at DOUBLE PRECISION,
    outcome TEXT
  )`,
  `CREATE INDEX ${prefix}submissions_intended ON ${prefix}submissions (owner) WHERE state = 'intended'`,
  `CREATE TABLE ${prefix}sessions (
    name TEXT PRIMARY KEY,
    credentials TEXT,
    version TEXT NOT NULL,
    written_at DOUBLE PRECISION NOT NULL,
    holder TEXT,
    held_until DOUBLE PRECISION
  )`,
  `CREATE TABLE ${prefix}cooldowns (
    service TEXT PRIMARY KEY,
    silent_until DOUBLE PRECISION NOT NULL,
    refused_at DOUBLE PRECISION NOT NULL
  )`
]
