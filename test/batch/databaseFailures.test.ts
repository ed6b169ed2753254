import { SqlClient } from "@effect/sql"
import { describe, expect, it } from "@effect/vitest"
import { Array, Context, Effect, Fiber, Layer, Logger, Ref, Stream } from "effect"
import { BatchDatabase, DurableBatch } from "effect-arta/batch"
import { Fault } from "effect-arta/testing"
import { sqliteFile } from "../support/batch/databases.js"
import { emulate, makeWorld, rowsOf, submissions, until } from "../support/batch/durableBatch.js"
import { inject } from "../support/withEmulator.js"

const secret = "a value of a row"

const dropped = (table: string) => `DROP TABLE arta_${table}`

/** Refuses a statement on a table. */
const refused = (statement: string) =>
  `CREATE TRIGGER refuse BEFORE ${statement} BEGIN SELECT RAISE(ABORT, '${secret}'); END`

interface Case {
  readonly damage: string
  readonly does: (
    batch: string
  ) => Effect.Effect<
    unknown,
    { readonly _tag: string; readonly message: string },
    Effect.Effect.Context<typeof DurableBatch.run>
  >
  readonly says: string
  /** Whether the response to the submission is lost before. */
  readonly isUnknown?: boolean
}

const { batches, cancel, enqueue, retryUnknown, runUntilDone, status } = DurableBatch

/** A database whose lock the test can hold, as another process would. */
const lockable = Effect.gen(function* () {
  const database = yield* sqliteFile
  const context = yield* Layer.build(database.open)
  const sql = Context.get(context, SqlClient.SqlClient)
  const world = yield* makeWorld(Effect.succeed(database))
  // Creates the tables.
  yield* batches.pipe(world.asProcess(), emulate())
  return { ...world, lock: Effect.as(sql.unsafe("BEGIN IMMEDIATE"), sql.unsafe("ROLLBACK")) }
})

const results = (batch: string) => Stream.runDrain(DurableBatch.results(batch))

const cases: ReadonlyArray<Case> = [
  { damage: dropped("batches"), does: () => batches, says: "read batches" },
  { damage: dropped("rows"), does: () => batches, says: "count rows" },
  { damage: dropped("rows"), does: status, says: "count rows" },
  { damage: dropped("runners"), does: status, says: "read runners" },
  { damage: dropped("batches"), does: cancel, says: "read the batch" },
  { damage: refused("UPDATE ON arta_batches"), does: cancel, says: "cancel the batch" },
  { damage: refused("UPDATE ON arta_rows"), does: cancel, says: "cancel rows" },
  { damage: dropped("batches"), does: results, says: "read the batch" },
  { damage: dropped("rows"), does: results, says: "read rows" },
  { damage: dropped("rows"), does: retryUnknown, says: "read rows" },
  { damage: refused("INSERT ON arta_batches"), does: () => enqueue(rowsOf("a bee")), says: "create the batch" },
  {
    damage: refused("INSERT ON arta_rows"),
    does: (batch) => enqueue(rowsOf("a fox", "an owl"), { batch }),
    says: "enqueue rows"
  },
  { damage: dropped("submissions"), does: runUntilDone, says: "recover rows" },
  { damage: refused("UPDATE ON arta_rows WHEN new.state = 'running'"), does: runUntilDone, says: "claim rows" },
  { damage: refused("INSERT ON arta_submissions"), does: runUntilDone, says: "write the intent of a submission" },
  {
    damage: refused("UPDATE ON arta_rows WHEN new.state = 'saved'"),
    does: runUntilDone,
    says: "record the outcome of a row"
  },
  {
    damage: refused("UPDATE ON arta_submissions WHEN new.state = 'released'"),
    does: retryUnknown,
    says: "release an unknown submission",
    isUnknown: true
  },
  {
    damage: refused("UPDATE ON arta_rows WHEN new.state = 'queued'"),
    does: retryUnknown,
    says: "queue a row again",
    isUnknown: true
  }
]

describe.concurrent("A database", { timeout: 60_000 }, () => {
  it.scopedLive.each(cases)("that refuses a statement: the error names the operation: $says", (test) =>
    Effect.gen(function* () {
      const { asProcess, change } = yield* makeWorld(sqliteFile)
      yield* Effect.gen(function* () {
        const { batch } = yield* enqueue(rowsOf("a fox"), { batch: "animals" })
        if (test.isUnknown === true) {
          yield* inject(Fault.drop("submit", { handled: true }))
          yield* runUntilDone(batch)
        }
        yield* change(test.damage)
        const { _tag, message } = yield* Effect.flip(test.does(batch))
        expect(_tag).toBe("DatabaseError")
        expect(message).toMatch(
          new RegExp(`^Could not ${test.says} in the database: SQLite refused the statement \\(SQLITE_[A-Z_]+\\)\\.$`)
        )
      }).pipe(asProcess(), emulate())
    })
  )

  it.scopedLive("that has a submission of another version is not written to", () =>
    Effect.gen(function* () {
      const { asProcess, change } = yield* makeWorld(sqliteFile)
      yield* Effect.gen(function* () {
        const { batch } = yield* enqueue(rowsOf("a fox"), { batch: "animals" })
        yield* runUntilDone(batch)
        yield* change("UPDATE arta_submissions SET request = '{}'")
        yield* change("UPDATE arta_rows SET state = 'queued', outcome = NULL")
        const { message } = yield* Effect.flip(runUntilDone(batch))
        expect(message).toBe(
          "Could not read a submission in the database: another version of the library wrote what is under this key."
        )
        expect(yield* submissions).toBe(1)
      }).pipe(asProcess(), emulate())
    })
  )

  // fault: Batch database | Another process holds the lock of the SQLite file for a while | a warning once, and the statement is repeated until it succeeds
  it.scopedLive("that is locked by another process is waited for, with one warning", () =>
    Effect.gen(function* () {
      const { asProcess, lock } = yield* lockable
      const logged = yield* Ref.make<ReadonlyArray<string>>([])
      const logger = Logger.make(({ message }) => {
        Effect.runSync(Ref.update(logged, Array.append(String(message))))
      })
      yield* Effect.gen(function* () {
        const release = yield* lock
        const waiting = yield* Effect.fork(enqueue(rowsOf("a fox"), { batch: "animals" }))
        yield* until(Effect.map(Ref.get(logged), Array.isNonEmptyReadonlyArray))
        yield* Effect.sleep("1 second")
        yield* release
        expect(yield* Fiber.join(waiting)).toMatchObject({ added: 1 })
        expect(yield* logged).toEqual([
          "Could not create the batch in the database: another process holds the file's lock (SQLITE_BUSY). It is tried again until it succeeds."
        ])
      }).pipe(asProcess(), emulate(), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
    })
  )

  it.scoped.each(["", "1a", "a-b", "a".repeat(32), "täble"])("takes no prefix %j", (prefix) =>
    Effect.gen(function* () {
      const { open } = yield* sqliteFile
      const error = yield* Effect.flip(Layer.build(Layer.provide(BatchDatabase.layer({ prefix }), open)))
      expect(error.message).toBe(
        `The option prefix is ${JSON.stringify(prefix)}, but must be a letter or underscore, then at most 30 letters, digits and underscores.`
      )
      yield* Layer.build(Layer.provide(BatchDatabase.layer({ prefix: `_${"a".repeat(30)}` }), open))
    })
  )
})
