/**
 * Submits a generation at most once, even if processes are killed.
 *
 * Before a submission leaves, the ledger writes an intent under a key of your choice. Only the attempt that wrote the
 * intent may send. Its response is recorded under the same key, and so is the outcome. A process that finds an intent
 * without a record waits while its owner is alive. If the owner is dead, the submission is unknown: the service may
 * have accepted it, so it is sent again only after `retryUnknown`.
 *
 * @example
 * ```ts
 * import { SubmissionLedger } from "effect-arta/batch"
 * import { GenerateRequest } from "effect-arta"
 *
 * const request = new GenerateRequest.GenerateRequest({ prompt: "a lighthouse at dawn", seed: 7 })
 *
 * // However often this runs, and in however many processes, the lighthouse is paid for once.
 * export const lighthouse = SubmissionLedger.draw("postcards/1", request)
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Arta from "../Arta.js"
import type { ArtaApi, SubmitError } from "../ArtaApi.js"
import { GenerationFailedError } from "../ArtaError.js"
import type { RunError } from "../ArtaError.js"
import type { Auth } from "../Auth.js"
import type { GenerateRequest } from "../GenerateRequest.js"
import type { RecordId } from "../Generation.js"
import { Generation } from "../Generation.js"
import type { BatchDatabase, DatabaseError } from "./BatchDatabase.js"
import type { LedgerBackend, StoredSubmission } from "./internal/ledger/backend.js"
import { makeLimiter } from "./internal/ledger/limiter.js"
import { makeMemoryBackend } from "./internal/ledger/memoryBackend.js"
import { retryWhileLimited } from "./internal/ledger/rateLimits.js"
import { makeSqlBackend } from "./internal/ledger/sqlBackend.js"
import { makeSubmitOnce } from "./internal/ledger/submitOnce.js"
import * as Runners from "./internal/runners.js"

/**
 * Identifies one run of a program. Every start makes another one.
 *
 * @since 0.1.0
 * @category models
 */
export const OwnerId: typeof Runners.OwnerId = Runners.OwnerId

/**
 * @since 0.1.0
 * @category models
 */
export type OwnerId = typeof OwnerId.Type

/**
 * How a generation ended. A timeout is not an outcome: the generation may still finish.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome = Either.Either<Generation, GenerationFailedError>

/**
 * A submission that the service has accepted. `request` is the one that was sent under the key first.
 *
 * @since 0.1.0
 * @category models
 */
export interface Submission {
  readonly recordId: RecordId
  readonly request: GenerateRequest
  readonly outcome: Option.Option<Outcome>
  /** When the record id was recorded. None: this call has just recorded it. */
  readonly recordedAt: Option.Option<DateTime.Utc>
}

/**
 * What the ledger knows about a key.
 *
 * - `Intended`: `owner` sends the submission, or will soon.
 * - `Recorded`: the service accepted it.
 * - `Completed`: its generation has ended.
 * - `Unknown`: the service may have accepted it. With `isReleased`, the next `submit` sends it again.
 *
 * @since 0.1.0
 * @category models
 */
export type Entry =
  | { readonly _tag: "Intended"; readonly owner: OwnerId; readonly request: GenerateRequest }
  | { readonly _tag: "Recorded"; readonly recordId: RecordId; readonly request: GenerateRequest }
  | {
      readonly _tag: "Completed"
      readonly recordId: RecordId
      readonly request: GenerateRequest
      readonly outcome: Outcome
    }
  | { readonly _tag: "Unknown"; readonly request: GenerateRequest; readonly isReleased: boolean }

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Submits a generation unless there is a submission under this key, and returns the one that there is. Waits while
   * another process sends it.
   *
   * A submission that the service refused leaves the key free. Fails with `SubmissionUnknownError` if the service may
   * or may not have accepted it, and so does every later call until `retryUnknown`, or until the process that sent it
   * records a late response. Once a submission is being sent, an interruption waits until it is recorded.
   */
  readonly submit: (
    key: string,
    request: GenerateRequest
  ) => Effect.Effect<Submission, SubmitError | DatabaseError, ArtaApi | Auth>
  /** Reads what the ledger knows about a key. None: nothing was submitted under it, or the service refused it. */
  readonly find: (key: string) => Effect.Effect<Option.Option<Entry>, DatabaseError>
  /**
   * Stores the outcome of a generation. Only the first one counts, and only if it is that of the recorded id. One with
   * images in `data:` URLs is not stored, because it is too large: the service still has it.
   */
  readonly complete: (key: string, outcome: Outcome) => Effect.Effect<void, DatabaseError>
  /**
   * Lets the next `submit` send an unknown submission again, which may be paid twice. Returns false if the submission
   * is not unknown.
   */
  readonly retryUnknown: (key: string) => Effect.Effect<boolean, DatabaseError>
  /** The id under which this process submits. */
  readonly owner: OwnerId
}

/**
 * @since 0.1.0
 * @category tags
 */
export class SubmissionLedger extends Context.Tag("effect-arta/SubmissionLedger")<SubmissionLedger, Service>() {}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** How many submissions may be under way at once. A killed process leaves at most as many unknown. Default: 4. */
  readonly submissionsAtOnce?: number | undefined
}

const OutcomeJson = Schema.parseJson(Schema.Either({ left: GenerationFailedError, right: Generation }))
const encodeOutcome = Schema.encodeOption(OutcomeJson)
const decodeOutcome = Schema.decodeOption(OutcomeJson)

// Characters. A longer one holds whole images.
const longestOutcome = 65_536

const recordIdOf = (outcome: Outcome): RecordId => Either.merge(outcome).recordId

const outcomeOf = ({ outcome }: StoredSubmission) => Option.flatMap(Option.fromNullable(outcome), decodeOutcome)

const entryOf = (stored: StoredSubmission): Entry => {
  const { owner, recordId, request, state } = stored
  if (recordId !== undefined) {
    return Option.match(outcomeOf(stored), {
      onNone: () => ({ _tag: "Recorded", recordId, request }),
      onSome: (outcome) => ({ _tag: "Completed", recordId, request, outcome })
    })
  }
  return state === "intended"
    ? { _tag: "Intended", owner, request }
    : { _tag: "Unknown", request, isReleased: state === "released" }
}

const fromBackend = (backend: LedgerBackend, { submissionsAtOnce = 4 }: Options): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const submitOnce = yield* makeSubmitOnce({ backend, limiter: yield* makeLimiter(submissionsAtOnce) })
    return {
      owner: backend.owner,
      submit: (key, request) =>
        Effect.map(submitOnce(key, request), (stored) => ({
          recordId: stored.recordId,
          request: stored.request,
          outcome: outcomeOf(stored),
          recordedAt: Option.map(Option.fromNullable(stored.recordedAt), DateTime.unsafeMake)
        })),
      find: (key) => Effect.map(backend.find(key), Option.map(entryOf)),
      complete: (key, outcome) =>
        Option.match(
          Option.filter(encodeOutcome(outcome), (text) => text.length <= longestOutcome),
          { onNone: () => Effect.void, onSome: (text) => backend.complete(key, recordIdOf(outcome), text) }
        ),
      retryUnknown: backend.release
    }
  })

/**
 * Keeps the submissions in memory, for tests.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<SubmissionLedger> = Layer.effect(
  SubmissionLedger,
  Effect.flatMap(makeMemoryBackend, (backend) => fromBackend(backend, {}))
)

/**
 * Keeps the submissions in the database, where every process that uses it sees them. The heartbeat of this process runs
 * until the layer is released.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSql = (options: Options = {}): Layer.Layer<SubmissionLedger, DatabaseError, BatchDatabase> =>
  Layer.scoped(
    SubmissionLedger,
    Effect.flatMap(makeSqlBackend, (backend) => fromBackend(backend, options))
  ).pipe(Layer.provide(Runners.layer))

const completed = ({ elapsed, images, missing, recordId }: Generation, request: GenerateRequest): Generation =>
  new Generation({ recordId, images, elapsed, request, missing: Math.max(missing, request.n - images.length) })

/**
 * Generates images under a key: submits at most once, polls until the generation ends, and stores the outcome. A known
 * outcome returns at once.
 *
 * Waits for a rate limit that ends before the timeout. The timeout of `settings` does not count the wait for the
 * submissions of others.
 *
 * @since 0.1.0
 * @category generating
 */
export const draw = (
  key: string,
  request: GenerateRequest,
  settings: Pick<Arta.Settings, "polling" | "timeout"> = {}
): Effect.Effect<Generation, RunError | DatabaseError, SubmissionLedger | ArtaApi | Auth> =>
  Effect.gen(function* () {
    const ledger = yield* SubmissionLedger
    const submission = yield* retryWhileLimited(ledger.submit(key, request), settings.timeout)
    if (Option.isSome(submission.outcome)) return yield* submission.outcome.value
    const outcome = yield* Arta.resume(submission.recordId, settings).pipe(
      Effect.map((generation) => Either.right(completed(generation, submission.request))),
      Effect.catchTag("GenerationFailedError", (failure) => Effect.succeed(Either.left(failure)))
    )
    yield* ledger.complete(key, outcome)
    return yield* outcome
  }).pipe(Effect.withSpan("SubmissionLedger.draw", { captureStackTrace: false, attributes: { key } }))
