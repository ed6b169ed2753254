import * as Array from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Arta from "../../../Arta.js"
import { InvalidRequestError } from "../../../ArtaError.js"
import type { GenerateRequest } from "../../../GenerateRequest.js"
import * as ImageFile from "../../../ImageFile.js"
import type * as BatchDatabase from "../../BatchDatabase.js"
import type { DatabaseError } from "../../BatchDatabase.js"
import type { InvalidRow } from "../../BatchError.js"
import { InvalidRowsError, RowConflictError } from "../../BatchError.js"
import type { Row } from "../../BatchRow.js"
import type { BatchSettings } from "../../BatchStatus.js"
import { fingerprintOf } from "./hash.js"
import { cancelledJson } from "./storedRow.js"

/** A row to be written. */
interface NewRow {
  readonly number: number
  readonly name: string
  readonly request: string
  readonly fingerprint: string
}

interface Enqueue {
  readonly database: BatchDatabase.Service
  readonly batch: string
  readonly limits: Arta.Settings["limits"]
  readonly settings: BatchSettings
}

// Large enough that 50,000 rows take few statements, small enough that runners get at the database in between.
const windowSize = 500

const defaultName = (number: number, request: GenerateRequest): string =>
  `${String(number).padStart(5, "0")}-${ImageFile.nameOf(request)}`

// PostgreSQL stores neither U+0000 nor half a character, and no file should have a control character in its name.
const unusable = /[\p{Cc}\p{Cs}]/u

const checkName = (name: string | undefined) =>
  name === undefined || (name.trim() !== "" && name.length <= 500 && !unusable.test(name))
    ? Effect.void
    : new InvalidRequestError({
        field: "name",
        value: JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name),
        allowed: "text of at most 500 characters that is not blank, without control characters"
      })

const prepare = (row: Row, number: number, limits: Arta.Settings["limits"]) =>
  Effect.zipRight(checkName(row.name), Arta.prepare(row.options, { limits })).pipe(
    Effect.mapBoth({
      onFailure: (error): InvalidRow => ({ row: number, error }),
      onSuccess: (request): NewRow => ({
        number,
        name: row.name ?? defaultName(number, request),
        // The same as its encoded form, in a tenth of the time.
        request: JSON.stringify(request),
        fingerprint: fingerprintOf(row)
      })
    })
  )

/** Prepares all rows of a window, or fails with all that are invalid. */
const prepareWindow = (rows: ReadonlyArray<Row>, first: number, limits: Arta.Settings["limits"]) =>
  Effect.partition(rows, (row, index) => prepare(row, first + index, limits)).pipe(
    Effect.flatMap(([invalid, prepared]) =>
      Array.isNonEmptyReadonlyArray(invalid) ? new InvalidRowsError({ invalid }) : Effect.succeed(prepared)
    )
  )

const createBatch = ({ batch, database: { now, run, sql, table }, settings }: Enqueue) =>
  run(
    "create the batch",
    sql`
      INSERT INTO ${table("batches")} (id, created_at, settings) VALUES (${batch}, ${now}, ${JSON.stringify(settings)})
      ON CONFLICT (id) DO NOTHING`
  )

/**
 * Adds the rows that the batch does not have, and returns their numbers. Adds none if the batch has another row with one
 * of the numbers. The rows of a cancelled batch never run.
 */
const insertRows = (
  { batch, database: { now, run, sql, table } }: Enqueue,
  rows: ReadonlyArray<NewRow>,
  [first, last]: readonly [number, number]
) => {
  const json = JSON.stringify(rows)
  const source = sql.onDialectOrElse({
    pg: () =>
      sql`SELECT * FROM json_to_recordset(${json}::json) AS v(number INTEGER, name TEXT, request TEXT, fingerprint TEXT)`,
    orElse: () =>
      sql`
        SELECT value ->> 'number' AS number, value ->> 'name' AS name, value ->> 'request' AS request,
          value ->> 'fingerprint' AS fingerprint
        FROM json_each(${json})`
  })
  return run(
    "enqueue rows",
    sql<{ readonly row: number }>`
      WITH v AS (${source})
      INSERT INTO ${table("rows")} (batch_id, row, name, request, fingerprint, state, sort_at, outcome)
      SELECT b.id, v.number, v.name, v.request, v.fingerprint,
        CASE WHEN b.cancelled_at IS NULL THEN 'queued' ELSE 'cancelled' END,
        CASE WHEN b.cancelled_at IS NULL THEN b.created_at ELSE ${now} END,
        CASE WHEN b.cancelled_at IS NULL THEN NULL ELSE ${cancelledJson} END
      FROM ${table("batches")} b, v
      WHERE b.id = ${batch} AND NOT EXISTS (
        SELECT 1 FROM ${table("rows")} r, v w
        WHERE r.batch_id = ${batch} AND r.row BETWEEN ${first} AND ${last}
          AND r.row = w.number AND r.fingerprint <> w.fingerprint
      )
      ON CONFLICT (batch_id, row) DO NOTHING
      RETURNING row`
  )
}

/** The first row that the batch has already, but for another request. */
const findConflict = (
  { batch, database: { run, sql, table } }: Enqueue,
  rows: ReadonlyArray<NewRow>,
  [first, last]: readonly [number, number]
) =>
  run(
    "read rows",
    sql<{ readonly row: number; readonly fingerprint: string }>`
      SELECT row, fingerprint FROM ${table("rows")} WHERE batch_id = ${batch} AND row BETWEEN ${first} AND ${last}`
  ).pipe(
    Effect.map((found) => {
      const fingerprints = new Map(found.map(({ fingerprint, row }) => [row, fingerprint] as const))
      return rows.find(({ fingerprint, number }) => (fingerprints.get(number) ?? fingerprint) !== fingerprint)
    })
  )

/** Writes a window of rows. Returns how many the batch did not have. */
const writeWindow = (options: Enqueue, rows: ReadonlyArray<NewRow>, first: number) =>
  Effect.gen(function* () {
    yield* createBatch(options)
    const range = [first, first + rows.length - 1] as const
    const added = yield* insertRows(options, rows, range)
    if (added.length < rows.length) {
      const conflict = yield* findConflict(options, rows, range)
      if (conflict !== undefined) return yield* new RowConflictError({ batch: options.batch, row: conflict.number })
    }
    return added.length
  })

interface Progress {
  readonly total: number
  readonly added: number
}

/** Writes rows a window at a time, so that a batch of any size takes the same memory. */
export const enqueue = <E, R>(
  rows: Stream.Stream<Row, E, R>,
  options: Enqueue
): Effect.Effect<Progress, InvalidRowsError | RowConflictError | DatabaseError | E, R> =>
  Stream.runFoldEffect(Stream.grouped(rows, windowSize), { total: 0, added: 0 }, ({ added, total }, window) =>
    Effect.gen(function* () {
      const prepared = yield* prepareWindow(Chunk.toReadonlyArray(window), total + 1, options.limits)
      return { total: total + prepared.length, added: added + (yield* writeWindow(options, prepared, total + 1)) }
    })
  ).pipe(
    // A batch without rows exists too.
    Effect.tap(createBatch(options))
  )
