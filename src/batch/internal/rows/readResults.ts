import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as BatchDatabase from "../../BatchDatabase.js"
import type { DatabaseError } from "../../BatchDatabase.js"
import type { BatchNotFoundError } from "../../BatchError.js"
import { RowResult } from "../../BatchRow.js"
import { checkBatch, hasOpenRows } from "./changeBatch.js"
import type { NumberSet } from "./numberSet.js"
import { makeNumberSet } from "./numberSet.js"
import { EndedRow } from "./storedRow.js"

const pageSize = 200

const delay = Duration.seconds(1)

// Milliseconds. A row that ended just now may be committed after one that ended later.
const commitTime = 500

/** The place of a row in the order in which rows ended. */
interface Position {
  readonly sortAt: number
  readonly row: number
}

const start: Position = { sortAt: 0, row: 0 }

const decode = (found: unknown) => Effect.orDie(Schema.decodeUnknown(Schema.Array(EndedRow))(found))

const endedStates = ["saved", "failed", "unknown", "cancelled"]

const readPage = (
  { now, run, sql, table }: BatchDatabase.Service,
  batch: string,
  { row, sortAt }: Position,
  upTo: number
): Effect.Effect<ReadonlyArray<EndedRow>, DatabaseError> => {
  // A query for each state, so that their index gives the order.
  const pages = endedStates.map(
    (state) => sql`
      SELECT * FROM (
        SELECT batch_id, row, name, request, state, outcome, sort_at FROM ${table("rows")}
        WHERE batch_id = ${batch} AND state = ${state} AND (sort_at, row) > (${sortAt}, ${row})
          AND sort_at <= ${now} - ${upTo}
        ORDER BY sort_at, row LIMIT ${pageSize}
      ) ${sql.literal(state)}_rows`
  )
  const all = sql.join(" UNION ALL ", false)(pages)
  return Effect.flatMap(run("read results", sql`${all} ORDER BY sort_at, row LIMIT ${pageSize}`), decode)
}

/** The rows that have ended but are missing in a set. */
const readMissing = (
  { run, sql, table }: BatchDatabase.Service,
  batch: string,
  seen: NumberSet
): Stream.Stream<EndedRow, DatabaseError> =>
  Stream.paginateChunkEffect(0, (after) =>
    Effect.gen(function* () {
      const rows = yield* run(
        "read results",
        sql<{ readonly row: number }>`
          SELECT row FROM ${table("rows")} WHERE batch_id = ${batch} AND row > ${after} ORDER BY row LIMIT 10000`
      )
      return [
        Chunk.unsafeFromArray(rows.map(({ row }) => row).filter((row) => !seen.has(row))),
        Option.map(Option.fromNullable(rows.at(-1)), ({ row }) => row)
      ] as const
    })
  ).pipe(
    Stream.grouped(pageSize),
    Stream.mapEffect((missing) =>
      run(
        "read results",
        sql`
          SELECT batch_id, row, name, request, state, outcome, sort_at FROM ${table("rows")}
          WHERE ${sql.and([
            sql`batch_id = ${batch}`,
            sql`outcome IS NOT NULL`,
            sql.in("row", Chunk.toReadonlyArray(missing))
          ])}`
      )
    ),
    Stream.mapEffect(decode),
    Stream.flattenIterables
  )

const toResult = ({ batch, name, outcome, request, row }: EndedRow) =>
  new RowResult({ batch, row, name, request, outcome }, { disableValidation: true })

/** Emits rows in the order in which they ended, until no row is open. */
const readInOrder = (database: BatchDatabase.Service, batch: string): Stream.Stream<EndedRow, DatabaseError> =>
  Stream.paginateChunkEffect(start, (after) =>
    Effect.gen(function* () {
      const hasOpen = yield* hasOpenRows(database, batch)
      const rows = yield* readPage(database, batch, after, hasOpen ? commitTime : 0)
      const last = rows.at(-1)
      if (last === undefined && hasOpen) yield* Effect.sleep(delay)
      const next = last === undefined && !hasOpen ? Option.none() : Option.some(last ?? after)
      return [Chunk.unsafeFromArray([...rows]), next] as const
    })
  )

/** The results of a batch as its rows end. A row that was unknown and has been recorded since is emitted again. */
export const readResults = (
  database: BatchDatabase.Service,
  batch: string
): Stream.Stream<RowResult, BatchNotFoundError | DatabaseError> =>
  Effect.gen(function* () {
    yield* checkBatch(database, batch)
    const seen = makeNumberSet()
    const remember = ({ row }: EndedRow) =>
      Effect.sync(() => {
        seen.add(row)
      })
    // However long a commit took, its row is found in the end.
    return Stream.concat(readInOrder(database, batch), readMissing(database, batch, seen)).pipe(
      Stream.tap(remember),
      Stream.map(toResult)
    )
  }).pipe(Stream.unwrap)
