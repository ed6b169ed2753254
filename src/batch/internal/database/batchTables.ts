/**
 * The tables of batches and their rows. A row is about 600 bytes. `sort_at` orders the rows of a state: queued rows by
 * the age of their batch, with 0 for rows that a runner had before, and the others by the time they came to that state.
 */
export const batchTables = (prefix: string): ReadonlyArray<string> => [
  `CREATE TABLE ${prefix}batches (
    id TEXT PRIMARY KEY,
    created_at DOUBLE PRECISION NOT NULL,
    settings TEXT NOT NULL,
    cancelled_at DOUBLE PRECISION
  )`,
  `CREATE TABLE ${prefix}rows (
    batch_id TEXT NOT NULL,
    row INTEGER NOT NULL,
    request TEXT NOT NULL,
    name TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    sort_at DOUBLE PRECISION NOT NULL,
    runner TEXT,
    outcome TEXT,
    PRIMARY KEY (batch_id, row)
  )`,
  // Status, results, and the claims of a runner that runs one batch.
  `CREATE INDEX ${prefix}rows_state ON ${prefix}rows (batch_id, state, sort_at, row)`,
  // The claims of the other runners.
  `CREATE INDEX ${prefix}rows_queued ON ${prefix}rows (sort_at, row) WHERE state = 'queued'`,
  // The rows of one runner, and those that may be recorded late: few at any time.
  `CREATE INDEX ${prefix}rows_running ON ${prefix}rows (runner) WHERE state = 'running'`,
  `CREATE INDEX ${prefix}rows_unknown ON ${prefix}rows (batch_id) WHERE state = 'unknown'`
]
