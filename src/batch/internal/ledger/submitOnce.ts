import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as HashSet from "effect/HashSet"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import type { Service, SubmitError } from "../../../ArtaApi.js"
import { ArtaApi } from "../../../ArtaApi.js"
import { SubmissionUnknownError } from "../../../ArtaError.js"
import { Auth } from "../../../Auth.js"
import type { GenerateRequest } from "../../../GenerateRequest.js"
import type { RecordId } from "../../../Generation.js"
import { DatabaseError } from "../../BatchDatabase.js"
import type { Attempt, LedgerBackend, StoredSubmission } from "./backend.js"
import type { Limiter } from "./limiter.js"

/** How to submit once under a key. */
interface Options {
  readonly backend: LedgerBackend
  readonly limiter: Limiter
}

/** A submission that the service has accepted. */
export interface Recorded extends StoredSubmission {
  readonly recordId: RecordId
}

// Milliseconds. A process that was stopped for longer must not send: its intent may have been released meanwhile.
const freshFor = 30_000

const monotonicMillis = Effect.clockWith((clock) => Effect.sync(() => Number(clock.unsafeCurrentTimeNanos()) / 1e6))

const aSecond = Effect.flatMap(Random.nextIntBetween(750, 1_251), (millis) => Effect.sleep(millis))

const unknown = ({ request }: StoredSubmission) =>
  new SubmissionUnknownError({ request, reason: "the process that sent it has ended without recording a response" })

/** Whether the service cannot have accepted a submission that failed with this error. */
const isRefusal = (error: SubmitError): boolean => {
  if (error._tag === "SubmissionUnknownError") return false
  if (error._tag === "TransportError") return error.operation !== "submit" || !error.sent
  return error._tag !== "ResponseError" || error.operation !== "submit" || error.status < 500
}

/**
 * Submits a generation at most once under a key: writes an intent, sends the submission, and records the response. The
 * intent and not this process decides who sends.
 */
export const makeSubmitOnce = ({ backend, limiter }: Options) =>
  Effect.gen(function* () {
    // The intents of this process whose response is still to come.
    const inFlight = yield* Ref.make(HashSet.empty<string>())

    const isOurs = ({ intent }: Attempt, found: StoredSubmission) =>
      found.intent === intent && found.state === "intended"

    const intend = (attempt: Attempt, request: GenerateRequest): Effect.Effect<StoredSubmission, DatabaseError> =>
      Effect.gen(function* () {
        const since = yield* monotonicMillis
        const found = yield* backend.intend(attempt, request)
        const isStale = (yield* monotonicMillis) - since > freshFor
        return isStale && isOurs(attempt, found) ? yield* intend(attempt, request) : found
      })

    // A stop does not wait for a database that does not respond. The intent of a stopped process then becomes unknown.
    const withdrawSoon = (attempt: Attempt) =>
      backend
        .withdraw(attempt)
        .pipe(Effect.interruptible, Effect.disconnect, Effect.timeoutOption("3 seconds"), Effect.ignore)

    const record = (attempt: Attempt, recordId: RecordId) =>
      backend.record(attempt, recordId).pipe(
        Effect.mapError((error) => new DatabaseError({ operation: error.operation, reason: error.reason, recordId })),
        // A runner fails with one of the errors of its rows only.
        Effect.tapError(({ message }) => Effect.logError(message)),
        Effect.tap((isRecorded) =>
          isRecorded
            ? Effect.void
            : Effect.logWarning(
                `The service accepted the generation ${recordId}, but its submission had been declared unknown and was ` +
                  "sent again on request. The images of both exist."
              )
        )
      )

    const giveUp = (attempt: Attempt, cause: Cause.Cause<SubmitError>) => {
      const failure = Cause.failureOption(cause)
      const isDefinite = Option.isSome(failure) && isRefusal(failure.value)
      return Effect.zipRight(isDefinite ? backend.withdraw(attempt) : backend.doubt(attempt), Effect.failCause(cause))
    }

    const post = (api: Service, attempt: Attempt, intended: StoredSubmission) =>
      // A daemon: `Effect.interruptible` inside the request would let an interruption through.
      Effect.forkDaemon(Effect.interruptible(api.submit(intended.request))).pipe(
        Effect.flatMap(Fiber.join),
        Effect.catchAllCause((cause) => giveUp(attempt, cause)),
        Effect.flatMap((recordId) =>
          Effect.map(record(attempt, recordId), (isRecorded) =>
            isRecorded ? Option.some<StoredSubmission>({ ...intended, state: "recorded", recordId }) : Option.none()
          )
        )
      )

    /** Sends unless the key is taken. Returns what the key holds then, or nothing if that has to be looked up. */
    const send = (api: Service, key: string, request: GenerateRequest) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const attempt: Attempt = { key, intent: yield* Effect.sync(() => crypto.randomUUID()) }
          yield* Ref.update(inFlight, HashSet.add(attempt.intent))
          return yield* restore(intend(attempt, request)).pipe(
            Effect.onError(() => withdrawSoon(attempt)),
            Effect.flatMap((found) =>
              isOurs(attempt, found) ? post(api, attempt, found) : Effect.succeed(Option.some(found))
            ),
            Effect.ensuring(Ref.update(inFlight, HashSet.remove(attempt.intent)))
          )
        })
      )

    const awaitOwner = (
      key: string,
      found: StoredSubmission
    ): Effect.Effect<Option.Option<StoredSubmission>, DatabaseError> =>
      Effect.gen(function* () {
        const attempt = { key, intent: found.intent }
        const isOurs = found.owner === backend.owner
        if (found.isOwnerDead) yield* backend.doubtIfOwnerIsDead(attempt)
        else if (isOurs && !HashSet.has(yield* Ref.get(inFlight), found.intent)) yield* backend.doubt(attempt)
        else yield* aSecond
        const next = yield* backend.find(key)
        return Option.isSome(next) && next.value.state === "intended" ? yield* awaitOwner(key, next.value) : next
      })

    const knownRecord = (key: string) =>
      Effect.map(
        backend.find(key),
        Option.filter((found): found is Recorded => found.recordId !== undefined)
      )

    const submit = (
      key: string,
      request: GenerateRequest
    ): Effect.Effect<Recorded, SubmitError | DatabaseError, ArtaApi | Auth> =>
      Effect.gen(function* () {
        const api = yield* ArtaApi
        const auth = yield* Auth
        // Before the intent: a sign-up may take long, or fail.
        const token = yield* Effect.either(auth.token)
        if (Either.isLeft(token)) {
          const known = yield* knownRecord(key)
          return yield* Option.isSome(known) ? Effect.succeed(known.value) : Effect.fail(token.left)
        }
        const limitSubmissions = api.limitSubmissions ?? identity
        const sent = yield* limiter(limitSubmissions(send(api, key, request)))
        const found = Option.isSome(sent) && sent.value.state === "intended" ? yield* awaitOwner(key, sent.value) : sent
        if (Option.isNone(found) || found.value.state === "released") return yield* submit(key, request)
        const { recordId } = found.value
        return recordId === undefined ? yield* unknown(found.value) : { ...found.value, recordId }
      })

    return submit
  })
