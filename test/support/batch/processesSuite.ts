import * as SqlClient from "@effect/sql/SqlClient"
import * as Statement from "@effect/sql/Statement"
import { expect, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Context, Deferred, Effect, Fiber, Layer, Option, Ref, TestClock } from "effect"
import { ArtaError } from "effect-arta"
import { BatchDatabase, SubmissionLedger } from "effect-arta/batch"
import type { TestDatabase } from "./databases.js"
import { imageService, request } from "./imageService.js"
import { eventually } from "../virtualTime.js"
import { finish, inTime, passSeconds } from "./passTime.js"

const tagOf = (entry: Option.Option<SubmissionLedger.Entry>) =>
  Option.match(entry, { onNone: () => "None", onSome: ({ _tag }) => _tag })

/** Runs an effect before each statement that contains a text, for example to count such statements. */
const before = (text: string, effect: Effect.Effect<unknown>) =>
  Statement.withTransformer((statement) =>
    Effect.as(statement.compile()[0].includes(text) ? effect : Effect.void, statement)
  )

/** What several processes do that share a database. */
export const processesSuite = (open: Effect.Effect<TestDatabase, never, Scope.Scope>) => {
  /** A process: a ledger on a client of its own. */
  const start = (database: TestDatabase) =>
    Effect.map(
      Layer.build(
        SubmissionLedger.layerSql().pipe(
          Layer.provide(BatchDatabase.layer()),
          Layer.provide(database.open),
          Layer.orDie
        )
      ),
      (context) => Context.get(context, SubmissionLedger.SubmissionLedger)
    )

  interface World {
    readonly database: TestDatabase
    readonly one: SubmissionLedger.Service
    readonly two: SubmissionLedger.Service
    readonly start: Effect.Effect<SubmissionLedger.Service, never, Scope.Scope>
    /** Sets back the heartbeat of a process, as if it had been silent for so many seconds. */
    readonly silence: (ledger: SubmissionLedger.Service, seconds: number) => Effect.Effect<void>
    /** Lets a process judge others, as if it had run for so many seconds. */
    readonly age: (ledger: SubmissionLedger.Service, seconds: number) => Effect.Effect<void>
  }

  const onTwo = <A, E>(test: (world: World) => Effect.Effect<A, E, Scope.Scope>) =>
    Effect.gen(function* () {
      const database = yield* open
      const setBack = (column: string) => (ledger: SubmissionLedger.Service, seconds: number) =>
        Effect.asVoid(
          database.query(
            `UPDATE arta_runners SET ${column} = ${column} - ${String(seconds * 1_000)} WHERE id = '${ledger.owner}'`
          )
        )
      return yield* test({
        database,
        one: yield* start(database),
        two: yield* start(database),
        start: start(database),
        silence: setBack("heartbeat_at"),
        age: setBack("steady_since")
      })
    }).pipe(Effect.scoped)

  /** A service that accepts the first submission only when told to. */
  const heldService = Effect.gen(function* () {
    const sent = yield* Deferred.make<boolean>()
    const accepted = yield* Deferred.make<boolean>()
    const onSubmit = (nth: number) =>
      nth === 1 ? Effect.zipRight(Deferred.succeed(sent, true), Deferred.await(accepted)) : Effect.void
    const service = yield* imageService({ onSubmit })
    const submit = (ledger: SubmissionLedger.Service) => Effect.provide(ledger.submit("key", request), service.layer)
    return { ...service, submit, sent: Deferred.await(sent), accept: Deferred.succeed(accepted, true) }
  })

  it.effect("waits for the record of the process that sends", () =>
    onTwo(({ one, two }) =>
      Effect.gen(function* () {
        const service = yield* heldService
        const first = yield* Effect.fork(service.submit(one))
        yield* service.sent
        const second = yield* Effect.fork(service.submit(two))
        yield* passSeconds(90)
        expect(yield* two.find("key")).toMatchObject({ value: { _tag: "Intended", owner: one.owner } })
        expect(yield* Fiber.poll(second)).toEqual(Option.none())
        yield* service.accept
        expect((yield* finish(second)).recordId).toBe((yield* finish(first)).recordId)
        expect(yield* service.posts).toBe(1)
      })
    )
  )

  it.effect("sends if the service refuses the submission that it waits for", () =>
    onTwo(({ one, two }) =>
      Effect.gen(function* () {
        const refused = yield* Deferred.make<never, ArtaError.ResponseError>()
        const service = yield* imageService({ onSubmit: (nth) => (nth === 1 ? Deferred.await(refused) : Effect.void) })
        const submit = (ledger: SubmissionLedger.Service) =>
          Effect.provide(ledger.submit("key", request), service.layer)
        const first = yield* Effect.fork(submit(one))
        yield* eventually(Effect.map(service.posts, (posts) => posts === 1))
        const second = yield* Effect.fork(submit(two))
        yield* passSeconds(3)
        yield* Deferred.fail(refused, new ArtaError.ResponseError({ operation: "submit", status: 400, detail: "no" }))
        expect((yield* finish(second)).recordId).toBe("record-2")
        expect(yield* Effect.flip(finish(first))).toMatchObject({ status: 400 })
      })
    )
  )

  // fault: Batch database | A process is killed while it sends | the submission is unknown after a minute without its heartbeat
  it.effect("declares the submission of a dead process unknown, but not that of a late one", () =>
    onTwo(({ age, one, silence, two }) =>
      Effect.gen(function* () {
        const service = yield* heldService
        yield* Effect.fork(service.submit(one))
        yield* service.sent
        const second = yield* Effect.fork(service.submit(two))
        yield* age(two, 120)
        // Its next heartbeat is five seconds after its start, in virtual time.
        yield* silence(one, 50)
        yield* passSeconds(2)
        expect(yield* Fiber.poll(second)).toEqual(Option.none())
        yield* silence(one, 20)
        expect(yield* Effect.flip(finish(second))).toMatchObject({ _tag: "SubmissionUnknownError" })
        expect(yield* service.posts).toBe(1)
        yield* service.accept
      })
    )
  )

  // fault: Batch database | The database or the machine is stopped, so that every heartbeat is late | nobody is declared dead
  it.effect("does not judge before its own heartbeat was on time for a minute", () =>
    onTwo(({ one, silence, two }) =>
      Effect.gen(function* () {
        const service = yield* heldService
        const first = yield* Effect.fork(service.submit(one))
        yield* service.sent
        yield* silence(one, 600)
        const second = yield* Effect.fork(service.submit(two))
        yield* passSeconds(4)
        expect(tagOf(yield* two.find("key"))).toBe("Intended")
        yield* service.accept
        expect((yield* finish(second)).recordId).toBe((yield* finish(first)).recordId)
      })
    )
  )

  // fault: Batch database | A response arrives after its submission was declared unknown | it is recorded
  it.effect.each([false, true])("records a late response, released: %s", (isReleased) =>
    onTwo(({ age, one, silence, two }) =>
      Effect.gen(function* () {
        const service = yield* heldService
        const first = yield* Effect.fork(service.submit(one))
        yield* service.sent
        yield* age(two, 120)
        yield* silence(one, 70)
        expect(yield* inTime(Effect.flip(service.submit(two)))).toMatchObject({ _tag: "SubmissionUnknownError" })
        if (isReleased) expect(yield* two.retryUnknown("key")).toBe(true)
        yield* service.accept
        expect((yield* finish(first)).recordId).toBe("record-1")
        expect((yield* inTime(service.submit(two))).recordId).toBe("record-1")
        expect(yield* service.posts).toBe(1)
      })
    )
  )

  // fault: Batch database | A response arrives after its submission was sent again on request | the later record stays, with a warning
  it.effect("keeps the record of a submission that was sent again, when a late response arrives", () =>
    onTwo(({ age, one, silence, two }) =>
      Effect.gen(function* () {
        const service = yield* heldService
        const first = yield* Effect.fork(service.submit(one))
        yield* service.sent
        yield* age(two, 120)
        yield* silence(one, 70)
        yield* inTime(Effect.flip(service.submit(two)))
        yield* two.retryUnknown("key")
        expect((yield* inTime(service.submit(two))).recordId).toBe("record-2")
        yield* service.accept
        expect((yield* finish(first)).recordId).toBe("record-2")
        expect(yield* service.posts).toBe(2)
      })
    )
  )

  it.effect("declares the submission of a stopped process unknown at once", () =>
    onTwo(({ database, two, one }) =>
      Effect.gen(function* () {
        const service = yield* heldService
        yield* Effect.fork(service.submit(one))
        yield* service.sent
        yield* database.query(`UPDATE arta_runners SET stopped_at = heartbeat_at WHERE id = '${one.owner}'`)
        expect(yield* inTime(Effect.flip(service.submit(two)))).toMatchObject({ _tag: "SubmissionUnknownError" })
        yield* service.accept
      })
    )
  )

  // fault: Batch database | A process is stopped between intent and submission | it writes the intent again, or does not send
  it.effect.each([
    ["is still its own", "", 1],
    ["was declared unknown", "state = 'unknown'", 1],
    ["was released and taken", "state = 'intended', intent = 'other', owner = (SELECT max(id) FROM arta_runners)", 2]
  ] as const)("does not send with an old intent, which %s", ([, change, intents]) =>
    onTwo(({ database, one }) =>
      Effect.gen(function* () {
        const service = yield* imageService()
        const written = yield* Ref.make(0)
        const stopped = Effect.gen(function* () {
          if ((yield* Ref.updateAndGet(written, (n) => n + 1)) === 2 && change !== "")
            yield* database.query(`UPDATE arta_submissions SET ${change}`)
          if ((yield* Ref.get(written)) === 1) yield* TestClock.adjust("40 seconds")
        })
        const submit = before(
          "INSERT INTO arta_submissions",
          stopped
        )(Effect.provide(one.submit("key", request), service.layer))
        const fiber = yield* Effect.fork(submit)
        if (intents === 1) {
          yield* finish(fiber)
          expect(yield* service.posts).toBe(1)
        } else {
          yield* eventually(Effect.map(Ref.get(written), (times) => times === 2))
          yield* passSeconds(5)
          expect(yield* service.posts).toBe(0)
        }
        expect(yield* Ref.get(written)).toBe(2)
      })
    )
  )

  it.effect("needs three statements for a new generation", () =>
    onTwo(({ one }) =>
      Effect.gen(function* () {
        const service = yield* imageService()
        const count = yield* Ref.make(0)
        yield* SubmissionLedger.draw("key", request).pipe(
          Effect.provideService(SubmissionLedger.SubmissionLedger, one),
          Effect.provide(service.layer),
          before(
            "",
            Ref.update(count, (n) => n + 1)
          ),
          inTime
        )
        expect(yield* Ref.get(count)).toBe(3)
      })
    )
  )

  // fault: Batch database | A submission runs inside a transaction of the program | it fails and sends nothing
  it.effect("sends nothing inside a transaction of the program", () =>
    onTwo(({ database, one }) =>
      Effect.gen(function* () {
        const service = yield* imageService()
        const sql = yield* SqlClient.SqlClient
        const submit = Effect.provide(one.submit("key", request), service.layer)
        expect(yield* Effect.flip(sql.withTransaction(submit))).toMatchObject({ _tag: "DatabaseError" })
        expect(yield* service.posts).toBe(0)
      }).pipe(Effect.provide(database.open))
    )
  )

  // fault: Batch database | The database refuses to record a response | the error has the record id, and no value
  it.effect("names the record id if it cannot be recorded, and nothing else", () =>
    onTwo(({ database, one }) =>
      Effect.gen(function* () {
        const service = yield* imageService({ onSubmit: () => database.query("DROP TABLE arta_submissions") })
        const error = yield* Effect.flip(Effect.provide(one.submit("a-private-key", request), service.layer))
        expect(error).toMatchObject({ _tag: "DatabaseError", recordId: "record-1" })
        expect(error.message).toContain("record-1")
        expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/a-private-key|fox|postgres:|sqlite:/)
      })
    )
  )

  it.effect("creates the tables once when several programs start", () =>
    Effect.gen(function* () {
      const database = yield* open
      yield* Effect.all(Effect.replicate(start(database), 4), { concurrency: "unbounded" })
      expect(yield* database.query("SELECT id FROM arta_migrations ORDER BY id")).toEqual([{ id: 1 }, { id: 2 }])
      expect(yield* database.query("SELECT count(*) AS n FROM arta_runners WHERE stopped_at IS NULL")).toHaveLength(1)
    }).pipe(Effect.scoped)
  )
}
