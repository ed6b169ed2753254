import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { GenerateRequest } from "../../../GenerateRequest.js"
import { RecordId } from "../../../Generation.js"
import { BatchDatabase, DatabaseError } from "../../BatchDatabase.js"
import { isDead, OwnerId, Runner } from "../runners.js"
import type { Attempt, LedgerBackend, StoredSubmission } from "./backend.js"

const RequestJson = Schema.parseJson(GenerateRequest)

const Row = Schema.Struct({
  state: Schema.Literal("intended", "recorded", "unknown", "released"),
  owner: OwnerId,
  intent: Schema.String,
  request: RequestJson,
  recordId: Schema.optionalWith(RecordId, { nullable: true }),
  recordedAt: Schema.optionalWith(Schema.Number, { nullable: true }),
  outcome: Schema.optionalWith(Schema.String, { nullable: true }),
  isOwnerDead: Schema.transformLiterals([0, false], [1, true])
})

const decodeRow = Schema.decodeUnknown(Row)
const encodeRequest = Schema.encodeSync(RequestJson)

/**
 * Keeps submissions in the table `submissions`. A statement repeats harmlessly, because each attempt has its own id.
 */
export const makeSqlBackend: Effect.Effect<LedgerBackend, never, BatchDatabase | Runner> = Effect.gen(function* () {
  const database = yield* BatchDatabase
  const { now, run, sql, table } = database
  const { id: owner } = yield* Runner
  const submissions = table("submissions")
  const isOwnerDead = isDead(database, { owner: sql.literal("s.owner"), judge: owner })

  const find = (key: string): Effect.Effect<Option.Option<StoredSubmission>, DatabaseError> =>
    run(
      "find a submission",
      sql`SELECT s.state, s.owner, s.intent, s.request, s.record_id AS "recordId", s.outcome,
            s.recorded_at AS "recordedAt",
            CASE WHEN s.state = 'intended' AND ${isOwnerDead} THEN 1 ELSE 0 END AS "isOwnerDead"
          FROM ${submissions} AS s WHERE s.key = ${key}`
    ).pipe(
      Effect.flatMap(([row]) => (row === undefined ? Effect.succeedNone : Effect.asSome(decodeRow(row)))),
      Effect.catchTag("ParseError", () => {
        const reason = "another version of the library wrote what is under this key"
        return new DatabaseError({ operation: "read a submission", reason })
      })
    )

  const intend = (attempt: Attempt, request: GenerateRequest): Effect.Effect<StoredSubmission, DatabaseError> =>
    run(
      "write the intent of a submission",
      sql`INSERT INTO ${submissions} AS s (key, state, owner, intent, request, intended_at)
          VALUES (${attempt.key}, 'intended', ${owner}, ${attempt.intent}, ${encodeRequest(request)}, ${now})
          ON CONFLICT (key) DO UPDATE SET
            state = 'intended', owner = excluded.owner, intent = excluded.intent, request = excluded.request,
            intended_at = excluded.intended_at
          WHERE s.state = 'released' OR (s.intent = excluded.intent AND s.record_id IS NULL)
          RETURNING key`
    ).pipe(
      Effect.flatMap((written) =>
        Arr.isNonEmptyReadonlyArray(written)
          ? Effect.succeed<StoredSubmission>({
              state: "intended",
              owner,
              intent: attempt.intent,
              request,
              isOwnerDead: false
            })
          : Effect.flatMap(
              find(attempt.key),
              // The service refused the submission that was there.
              Option.match({ onNone: () => intend(attempt, request), onSome: Effect.succeed })
            )
      )
    )

  return {
    owner,
    find,
    intend,
    record: ({ intent, key }, recordId) =>
      run(
        `record the generation ${recordId}`,
        sql`UPDATE ${submissions} SET
              state = 'recorded', record_id = ${recordId}, recorded_at = COALESCE(recorded_at, ${now})
            WHERE key = ${key} AND intent = ${intent} AND (record_id IS NULL OR record_id = ${recordId})
            RETURNING key`
      ).pipe(Effect.map(Arr.isNonEmptyReadonlyArray)),
    withdraw: ({ intent, key }) =>
      run(
        "remove the intent of a submission",
        sql`DELETE FROM ${submissions} WHERE key = ${key} AND intent = ${intent} AND record_id IS NULL`
      ),
    doubt: ({ intent, key }) =>
      run(
        "mark a submission as unknown",
        sql`UPDATE ${submissions} SET state = 'unknown'
            WHERE key = ${key} AND intent = ${intent} AND state = 'intended'`
      ),
    doubtIfOwnerIsDead: ({ intent, key }) =>
      run(
        "mark the submission of a dead process as unknown",
        sql`UPDATE ${submissions} AS s SET state = 'unknown'
            WHERE s.key = ${key} AND s.intent = ${intent} AND s.state = 'intended' AND ${isOwnerDead}`
      ),
    complete: (key, recordId, outcome) =>
      run(
        "store an outcome",
        sql`UPDATE ${submissions} SET outcome = ${outcome}
            WHERE key = ${key} AND record_id = ${recordId} AND outcome IS NULL`
      ),
    release: (key) =>
      run(
        "release an unknown submission",
        sql`UPDATE ${submissions} SET state = 'released'
            WHERE key = ${key} AND state IN ('unknown', 'released') RETURNING key`
      ).pipe(Effect.map(Arr.isNonEmptyReadonlyArray))
  }
})
