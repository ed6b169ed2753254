/** The tables of batches and their rows. */
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
    state TEXT NOT NULL,
    runner TEXT,
    record_id TEXT,
    outcome TEXT,
    files TEXT,
    updated_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (batch_id, row)
  )`
]
