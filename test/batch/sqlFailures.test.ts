import { SqlClient } from "@effect/sql"
import { SqlError } from "@effect/sql/SqlError"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Ref, TestClock } from "effect"
import { BatchDatabase } from "effect-arta/batch"
import { sqliteFile } from "../support/batch/databases.js"

const secret = "s3cret"

/** What a driver reports. Its message may repeat values of the statement. */
const failure = (code: unknown, message = `refused for ${secret}`) =>
  new SqlError({ cause: Object.assign(new Error(message), { code }), message })

const onDatabase = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(sqliteFile, ({ open }) =>
    Effect.provide(effect, Layer.provideMerge(Layer.orDie(BatchDatabase.layer()), open))
  )

describe("A failure of a database", () => {
  it.scoped.each<[unknown, string]>([
    ["28P01", "PostgreSQL refused the password (28P01)"],
    ["28000", "PostgreSQL refused the user (28000)"],
    ["3D000", "there is no such database (3D000)"],
    ["42P01", "a table is missing (42P01)"],
    ["22P02", "PostgreSQL refused the statement (22P02)"],
    ["0A000", "PostgreSQL refused the statement (0A000)"],
    ["SELF_SIGNED", "the connection failed (SELF_SIGNED)"],
    ["CERTS", "the connection failed (CERTS)"],
    ["ERR_TLS_CERT_1", "the connection failed (ERR_TLS_CERT_1)"],
    ["SQLITE_NOTADB", "the file is not an SQLite database (SQLITE_NOTADB)"],
    ["SQLITE_CANTOPEN_ISDIR", "the file cannot be opened (SQLITE_CANTOPEN_ISDIR)"],
    ["SQLITE_READONLY_DBMOVED", "the file is read-only (SQLITE_READONLY_DBMOVED)"],
    ["SQLITE_ERROR", "SQLite refused the statement (SQLITE_ERROR)"],
    [`code of ${secret}`, "the driver reports an unexpected error"],
    ["A1", "the driver reports an unexpected error"],
    [7, "the driver reports an unexpected error"],
    [undefined, "the driver reports an unexpected error"]
  ])("with the code %j says what is wrong, and no value", ([code, reason]) =>
    Effect.gen(function* () {
      const { run } = yield* BatchDatabase.BatchDatabase
      const error = yield* Effect.flip(run("count rows", failure(code)))
      expect(error.message).toBe(`Could not count rows in the database: ${reason}.`)
    }).pipe(onDatabase)
  )

  // fault: Batch database | The connection of the database is lost, or its server restarts | the statement is repeated until it succeeds
  it.scoped.each<[unknown, string?]>([
    ["08006"],
    ["57P01"],
    ["53300"],
    ["53100"],
    ["40001"],
    ["40P01"],
    ["58030"],
    ["25006"],
    ["55P03"],
    ["ECONNREFUSED"],
    ["ENOENT"],
    ["ETIMEDOUT"],
    ["SQLITE_BUSY"],
    ["SQLITE_BUSY_SNAPSHOT"],
    ["SQLITE_LOCKED"],
    ["SQLITE_FULL"],
    ["SQLITE_IOERR_WRITE"],
    [undefined, "Connection terminated unexpectedly"],
    [undefined, "timeout exceeded when trying to connect"],
    [undefined, "Client has encountered a connection error and is not queryable"]
  ])("that passes is waited for: %j %s", ([code, message]) =>
    Effect.gen(function* () {
      const { run } = yield* BatchDatabase.BatchDatabase
      const tries = yield* Ref.make(0)
      const statement = Effect.flatMap(
        Ref.updateAndGet(tries, (count) => count + 1),
        (count) => (count < 4 ? failure(code, message) : Effect.succeed("written"))
      )
      const running = yield* Effect.fork(run("count rows", statement))
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(running)).toBe("written")
      expect(yield* Ref.get(tries)).toBe(4)
    }).pipe(onDatabase)
  )

  it.scoped.each<[SqlError]>([
    [new SqlError({ cause: new TypeError("socket is not a function"), message: "" })],
    [new SqlError({ cause: "the connection was terminated", message: "" })],
    [failure(undefined, "a value")],
    [failure("ERR_SOCKET_BAD_PORT")],
    [failure("23505")],
    [failure("SQLITE_CONSTRAINT")],
    [failure("XECONNRESET")]
  ])("that does not pass is not repeated: %s", ([error]) =>
    Effect.gen(function* () {
      const { run } = yield* BatchDatabase.BatchDatabase
      const tries = yield* Ref.make(0)
      const statement = Effect.zipRight(
        Ref.update(tries, (count) => count + 1),
        Effect.fail(error)
      )
      yield* Effect.flip(run("count rows", statement))
      expect(yield* Ref.get(tries)).toBe(1)
    }).pipe(onDatabase)
  )

  it.scoped("is that of a transaction of the program, which could undo what was sent", () =>
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const { run } = yield* BatchDatabase.BatchDatabase
      const error = yield* Effect.flip(sql.withTransaction(run("count rows", sql`SELECT 1`)))
      expect(error.message).toBe(
        "Could not count rows in the database: it would be part of another transaction, which may roll back."
      )
    }).pipe(onDatabase)
  )
})
