/**
 * The database that several runners share: PostgreSQL or SQLite, through the program's own `SqlClient`.
 *
 * `layer` creates the tables. Their names start with a prefix, `arta_` by default, so that they can live beside others.
 *
 * @example
 * ```ts
 * import { SqliteClient } from "@effect/sql-sqlite-node"
 * import { BatchDatabase, SubmissionLedger } from "effect-arta/batch"
 * import { Layer } from "effect"
 *
 * export const LedgerLayer = SubmissionLedger.layerSql().pipe(
 *   Layer.provide(BatchDatabase.layer()),
 *   Layer.provide(SqliteClient.layer({ filename: "images.sqlite" }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import type { Fragment } from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { InvalidRequestError } from "../ArtaError.js"
import { RecordId } from "../Generation.js"
import { migrate } from "./internal/database/migrate.js"
import { sqlFailure } from "./internal/database/sqlFailure.js"
import type { TableName } from "./internal/database/tables.js"

/**
 * The database refused a statement, for example because a table is missing or the user lacks a permission. A lost
 * connection does not fail: statements are repeated until the database responds again.
 *
 * `operation` is what the library was doing. `reason` holds no URL, password or value. With a `recordId`, the service
 * accepted that generation, but the database does not know it: pass it to `Arta.resume` to get the images.
 *
 * @since 0.1.0
 * @category errors
 */
export class DatabaseError extends Schema.TaggedError<DatabaseError>()("DatabaseError", {
  operation: Schema.String,
  reason: Schema.String,
  recordId: Schema.optional(RecordId)
}) {
  override get message(): string {
    const failure = `Could not ${this.operation} in the database: ${this.reason}.`
    return this.recordId === undefined
      ? failure
      : `${failure} The service accepted the generation ${this.recordId}: resume it to get its images.`
  }
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The program's client, without its transformations of names. */
  readonly sql: SqlClient.SqlClient
  /** The name of a table with the prefix, for use in a statement. */
  readonly table: (name: TableName) => Fragment
  /** The database's clock as an expression: milliseconds since the Unix epoch. */
  readonly now: Fragment
  /**
   * Runs statements. While the connection is lost or the database restarts, repeats them until they succeed or the
   * fiber is interrupted, so their effect must be the same if they run twice. `operation` completes "Could not …".
   */
  readonly run: <A, R>(
    operation: string,
    statements: Effect.Effect<A, SqlError, R>
  ) => Effect.Effect<A, DatabaseError, R>
  /**
   * Runs statements of `sql` in one transaction, on SQLite with the write lock from the start. Repeats them like `run`,
   * also when the connection is lost during the commit: `SqlClient.withTransaction` dies then.
   */
  readonly transaction: <A, R>(
    operation: string,
    statements: Effect.Effect<A, SqlError, R>
  ) => Effect.Effect<A, DatabaseError, R>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class BatchDatabase extends Context.Tag("effect-arta/BatchDatabase")<BatchDatabase, Service>() {}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * The start of every table's name: a letter or underscore, then at most 30 letters, digits and underscores. Default:
   * `arta_`.
   */
  readonly prefix?: string | undefined
}

const validPrefix = /^[A-Za-z_][A-Za-z0-9_]{0,30}$/

const beginStatement = (sql: SqlClient.SqlClient): string =>
  // A transaction that reads before it writes fails on SQLite if another process writes in between.
  sql.onDialectOrElse({ sqlite: () => "BEGIN IMMEDIATE", orElse: () => "BEGIN" })

const nowExpression = (sql: SqlClient.SqlClient): string =>
  sql.onDialectOrElse({
    sqlite: () => "(unixepoch('subsec') * 1000.0)",
    orElse: () => "(extract(epoch FROM clock_timestamp()) * 1000)::float8"
  })

const isTransient = (error: SqlError): boolean => sqlFailure(error).isTransient

const retrySchedule = Schedule.exponential("100 millis", 2).pipe(
  Schedule.union(Schedule.spaced("3 seconds")),
  Schedule.jittered
)

/** Runs statements on one connection and commits them. A failed commit is an error, not a defect. */
const commit = <A, E, R>(sql: SqlClient.SqlClient, statements: Effect.Effect<A, E, R>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(sql.reserve, (connection) => {
      const execute = (statement: string) => connection.executeUnprepared(statement, [], undefined)
      return execute(beginStatement(sql)).pipe(
        Effect.zipRight(restore(Effect.provideService(statements, SqlClient.TransactionConnection, [connection, 0]))),
        Effect.zipLeft(execute("COMMIT")),
        Effect.onError(() => Effect.ignore(execute("ROLLBACK")))
      )
    }).pipe(Effect.scoped)
  )

const fromClient = (sql: SqlClient.SqlClient, prefix: string): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const waiting = yield* Ref.make(HashSet.empty<string>())

    const toDatabaseError = (operation: string, error: SqlError) =>
      new DatabaseError({ operation, reason: sqlFailure(error).reason })

    const warnOnce = (operation: string, error: SqlError) =>
      Effect.unlessEffect(
        Effect.logWarning(`${toDatabaseError(operation, error).message} It is tried again until it succeeds.`),
        Ref.modify(waiting, (all) => [HashSet.has(all, operation), HashSet.add(all, operation)])
      )

    /** Repeats statements while the database does not respond. */
    const persist = <A, R>(operation: string, interruptible: Effect.Effect<A, SqlError, R>) => {
      // `pg` leaves a cancelled statement running, which may then overtake the next one.
      const statements = Effect.uninterruptible(interruptible)
      // Sets up the retry driver only after a failure.
      return Effect.catchAll(statements, (first) =>
        isTransient(first)
          ? warnOnce(operation, first).pipe(
              Effect.zipRight(Effect.sleep("100 millis")),
              Effect.zipRight(Effect.retry(statements, { schedule: retrySchedule, while: isTransient })),
              Effect.zipLeft(Ref.set(waiting, HashSet.empty()))
            )
          : Effect.fail(first)
      ).pipe(Effect.mapError((error) => toDatabaseError(operation, error)))
    }

    /** The intent of a submission counts only once it is committed. */
    const onItsOwn = <A, R>(operation: string, effect: Effect.Effect<A, DatabaseError, R>) =>
      Effect.flatMap(
        Effect.serviceOption(SqlClient.TransactionConnection),
        (outer): Effect.Effect<A, DatabaseError, R> =>
          Option.isNone(outer)
            ? effect
            : new DatabaseError({ operation, reason: "it would be part of another transaction, which may roll back" })
      )

    return {
      sql,
      table: (name) => sql.literal(`${prefix}${name}`),
      now: sql.literal(nowExpression(sql)),
      run: (operation, statements) => onItsOwn(operation, persist(operation, statements)),
      transaction: (operation, statements) => onItsOwn(operation, persist(operation, commit(sql, statements)))
    }
  })

// A power failure must not undo an intent that was followed by a submission. Another process holds the lock only for a
// moment.
const prepareSqlite = (sql: SqlClient.SqlClient) =>
  Effect.zipRight(sql.unsafe("PRAGMA synchronous = FULL"), sql.unsafe("PRAGMA busy_timeout = 250"))

/**
 * Creates the tables that are missing. Several programs may do so at once.
 *
 * Fails with `InvalidRequestError` if the prefix is invalid or the database is neither PostgreSQL nor SQLite, and with
 * `DatabaseError` if the tables cannot be created.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Service, InvalidRequestError | DatabaseError, SqlClient.SqlClient> =>
  Effect.gen(function* () {
    const { prefix = "arta_" } = options
    if (!validPrefix.test(prefix)) {
      const allowed = "a letter or underscore, then at most 30 letters, digits and underscores"
      return yield* new InvalidRequestError({ field: "prefix", value: JSON.stringify(prefix.slice(0, 90)), allowed })
    }
    const sql = (yield* SqlClient.SqlClient).withoutTransforms()
    const dialect = sql.onDialectOrElse({
      pg: () => "PostgreSQL" as const,
      sqlite: () => "SQLite" as const,
      orElse: () => undefined
    })
    if (dialect === undefined) {
      const fields = { field: "SqlClient", value: "that of another database", allowed: "that of PostgreSQL or SQLite" }
      return yield* new InvalidRequestError(fields)
    }
    const database = yield* fromClient(sql, prefix)
    if (dialect === "SQLite") yield* database.run("open the file", prepareSqlite(sql))
    yield* migrate({ ...database, prefix })
    return database
  })

/**
 * Provides `BatchDatabase` as `make` does.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<BatchDatabase, InvalidRequestError | DatabaseError, SqlClient.SqlClient> =>
  Layer.effect(BatchDatabase, make(options))
