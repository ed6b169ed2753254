import type { PlatformError } from "@effect/platform/Error"
import { isPlatformError } from "@effect/platform/Error"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { GenerateRequest, Generation } from "effect-arta"
import { ArtaApi, ArtaError, Auth } from "effect-arta"
import type { Failure, WatchFlags } from "./errors.js"
import { watchCommand } from "./errors.js"
import type { Journal, JournalError } from "./journal.js"

/** Observes every submission. */
export interface SubmissionJournal {
  /** Runs before a request is sent. If it fails, nothing is sent. */
  readonly begin: (request: GenerateRequest.GenerateRequest) => Effect.Effect<void, JournalError>
  readonly accepted: (recordId: Generation.RecordId) => Effect.Effect<void, PlatformError>
  /** The service accepted nothing, so another submission is safe. */
  readonly refused: Effect.Effect<void, PlatformError>
}

/** Records nothing. */
export const noop: SubmissionJournal = { begin: () => Effect.void, accepted: () => Effect.void, refused: Effect.void }

const printUnrecorded = (recordId: Generation.RecordId, flags: WatchFlags) =>
  Option.match(flags, {
    onNone: () => Effect.void,
    onSome: (flags) =>
      Console.error(
        `The service has accepted the generation ${recordId}, but the journal could not be written. ` +
          `To get its images: ${watchCommand(recordId, flags)}`
      )
  })

/** Records the submissions for one key in a journal. Prints a record id that cannot be recorded. */
export const fromJournal = (
  journal: Journal,
  key: string,
  flags: WatchFlags = Option.none(),
  name?: string
): SubmissionJournal => ({
  begin: (request) => journal.begin(key, request, name),
  accepted: (recordId) =>
    Effect.tapError(journal.note({ _tag: "Submitted", key, recordId }), () => printUnrecorded(recordId, flags)),
  refused: journal.note({ _tag: "NotAccepted", key })
})

/** The record id of an accepted submission, or the request of one whose outcome is unknown. */
export type LastKnown = Pick<ArtaError.GenerationTimeoutError, "recordId" | "request">

/** Updates `lastKnown` with each submission. A response counts even if the journal fails to record it. */
export const track = (
  { accepted, begin, refused }: SubmissionJournal,
  lastKnown: Ref.Ref<LastKnown>
): SubmissionJournal => ({
  begin: (request) => Effect.zipRight(begin(request), Ref.set(lastKnown, { request })),
  accepted: (recordId) => Effect.zipRight(Ref.set(lastKnown, { recordId }), accepted(recordId)),
  refused: Effect.zipRight(Ref.set(lastKnown, {}), refused)
})

/** The interface of `ArtaApi` has no room for a `JournalError`, so the first one goes to `failure`. */
interface CurrentService extends SubmissionJournal {
  readonly failure: Deferred.Deferred<never, JournalError>
}

class CurrentJournal extends Context.Reference<CurrentJournal>()("effect-arta/cli/CurrentJournal", {
  defaultValue: (): CurrentService => ({ ...noop, failure: Deferred.unsafeMake(FiberId.none) })
}) {}

const isJournalError = (error: ArtaApi.SubmitError | JournalError): error is JournalError =>
  isPlatformError(error) || error._tag === "SetupError"

/** Submits a request and records the outcome. None: the journal failed. */
const recordSubmission = (
  { accepted, begin, failure, refused }: CurrentService,
  submit: ArtaApi.Service["submit"],
  request: GenerateRequest.GenerateRequest,
  maybeSent: MutableRef.MutableRef<boolean>
): Effect.Effect<Option.Option<Generation.RecordId>, ArtaApi.SubmitError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      yield* begin(request)
      const submission = Effect.suspend(() => {
        // A submission of another `ArtaApi` than the library's counts as sent.
        MutableRef.set(maybeSent, true)
        return submit(request)
      })
      const recordId = yield* restore(submission).pipe(
        Effect.tapError((error) => (error._tag === "SubmissionUnknownError" ? Effect.void : refused)),
        Effect.onInterrupt(() => Effect.unless(Effect.ignore(refused), () => maybeSent.current))
      )
      yield* accepted(recordId)
      return Option.some(recordId)
    })
  ).pipe(Effect.catchIf(isJournalError, (error) => Effect.as(Deferred.fail(failure, error), Option.none())))

/** Records that a request was not sent. */
const recordUnsent = (
  { begin, failure, refused }: CurrentService,
  request: GenerateRequest.GenerateRequest
): Effect.Effect<void> =>
  Effect.catchAll(Effect.zipRight(begin(request), refused), (error) => Deferred.fail(failure, error))

const printWaiting = Console.error("Waiting up to 10 seconds for the response to the last submission.")

/**
 * Delays an interruption until the response to a submission that may have left arrives: otherwise its record id would be
 * lost.
 */
const awaitResponse =
  (announce: Effect.Effect<void>, maybeSent: MutableRef.MutableRef<boolean>) =>
  <A, E, R>(submission: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkDaemon(restore(submission)), (fiber) =>
        restore(Fiber.join(fiber)).pipe(
          Effect.onInterrupt(() =>
            Fiber.await(fiber).pipe(
              Effect.raceFirst(Effect.zipRight(Effect.delay(announce, "1 second"), Effect.never)),
              // Finalizers are uninterruptible. `timeout` must be able to interrupt the wait.
              Effect.interruptible,
              Effect.timeout("10 seconds"),
              Effect.ignore,
              Effect.when(() => maybeSent.current),
              Effect.zipRight(Fiber.interrupt(fiber))
            )
          )
        )
      )
    )

const make = Effect.gen(function* () {
  const api = yield* ArtaApi.ArtaApi
  const auth = yield* Auth.Auth
  const announce = yield* Effect.once(printWaiting)
  const turns = yield* Effect.makeSemaphore(1)
  const submit = Effect.fnUntraced(function* (request: GenerateRequest.GenerateRequest) {
    const journal = yield* CurrentJournal
    const maybeSent = yield* ArtaApi.MaybeSent
    MutableRef.set(maybeSent, false)
    // Fibers that wait for the same token resume in any order. The semaphore restores the order of the calls.
    const token = yield* Effect.fork(auth.token)
    // Nothing is sent without a token, so a failure up to here is not an unknown submission.
    yield* Effect.onError(turns.withPermits(1)(Fiber.join(token)), () => recordUnsent(journal, request))
    const recorded = recordSubmission(journal, api.submit, request, maybeSent)
    const recordId = yield* awaitResponse(announce, maybeSent)(recorded)
    // If the journal failed, `withJournal` interrupts this fiber.
    return Option.isSome(recordId) ? recordId.value : yield* Effect.never
  })
  return { ...api, submit }
})

/** An `ArtaApi` that records each submission in the journal of `withJournal`. */
export const layer: Layer.Layer<ArtaApi.ArtaApi, never, ArtaApi.ArtaApi | Auth.Auth> = Layer.effect(
  ArtaApi.ArtaApi,
  make
)

/** Interrupts the effect and fails once `failure` fails. */
const failWith =
  <E2>(failure: Deferred.Deferred<never, E2>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        // A failure of the journal takes precedence over the error that it was recording.
        const checked = Effect.tapErrorCause(effect, () =>
          Effect.whenEffect(Deferred.await(failure), Deferred.isDone(failure))
        )
        const fiber = yield* Effect.fork(restore(checked))
        return yield* restore(Effect.raceFirst(Deferred.await(failure), Fiber.join(fiber))).pipe(
          Effect.ensuring(Fiber.interrupt(fiber))
        )
      })
    )

/** Adds the last known state of a submission to a timeout that does not know it. */
const withLastKnown = <E extends Failure>(
  error: E,
  lastKnown: Ref.Ref<LastKnown>
): Effect.Effect<never, E | ArtaError.GenerationTimeoutError> =>
  error._tag === "GenerationTimeoutError" && error.recordId === undefined
    ? Effect.flatMap(
        Ref.get(lastKnown),
        (known) => new ArtaError.GenerationTimeoutError({ elapsed: error.elapsed, ...known })
      )
    : Effect.fail(error)

/**
 * Records every submission of the effect in a journal. If the journal fails, the effect is interrupted and nothing more
 * is sent. If a response arrives after the timeout, the `GenerationTimeoutError` has its record id.
 */
export const withJournal =
  (journal: SubmissionJournal) =>
  <A, E extends Failure, R>(
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | JournalError | ArtaError.GenerationTimeoutError, R> =>
    Effect.gen(function* () {
      const failure = yield* Deferred.make<never, JournalError>()
      const lastKnown = yield* Ref.make<LastKnown>({})
      return yield* effect.pipe(
        Effect.provideService(CurrentJournal, { ...track(journal, lastKnown), failure }),
        Effect.catchAll((error) => withLastKnown(error, lastKnown)),
        failWith(failure)
      )
    })
