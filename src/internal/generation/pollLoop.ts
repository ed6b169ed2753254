import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Service, StatusError } from "../../ArtaApi.js"
import { ArtaApi } from "../../ArtaApi.js"
import * as Errors from "../../ArtaError.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationEvent, GenerationStatus, RecordId } from "../../Generation.js"
import { Completed, InProgress, Queued } from "../../Generation.js"
import { monotonicSeconds } from "../clock.js"
import type { DurationRecorder } from "../durationRecorder.js"
import { noRecorder, placesFirstPoll, PollContext } from "../durationRecorder.js"
import { isPermanent } from "../diagnosis.js"
import { polls } from "../metrics.js"
import { retryForever } from "../retry.js"
import type { Deadline } from "./deadline.js"
import { recall } from "./submissions.js"

type Pending = Extract<GenerationStatus, { readonly _tag: "Queued" | "InProgress" }>

// Seconds. The service may not know a generation yet that it has just accepted.
const unknownRecordGrace = 10

// Seconds. A generation that is first polled later than this may have changed its stage at any time before.
const resumedAfter = 2

const isTransient = (error: StatusError): boolean =>
  (error._tag === "TransportError" && !isPermanent(error)) ||
  error._tag === "RateLimitedError" ||
  (error._tag === "ResponseError" &&
    ((error.status >= 200 && error.status < 300) || error.status === 408 || error.status >= 500))

const isUnknownRecord = (error: StatusError): boolean => error._tag === "ResponseError" && error.status === 404

const Resumable = Schema.Union(
  Errors.AuthError,
  Errors.TokenStoreError,
  Errors.TransportError,
  Errors.ResponseError,
  Errors.RateLimitedError,
  Errors.UnauthorizedError
)
// Copies the error, which other callers may share: a failed refresh fails every caller that waits for it.
const withRecordId = (recordId: RecordId) => (error: StatusError) =>
  Schema.decodeSync(Resumable)({ ...Schema.encodeSync(Resumable)(error), recordId })

// The parts were validated when they were read. Validating them again would take most of the time of an event.
export const skipValidation = { disableValidation: true }

const wireNames = { Queued: "IN_QUEUE", InProgress: "IN_PROGRESS" } as const

type PollLoopError = StatusError | Errors.GenerationFailedError | Errors.GenerationTimeoutError

/** A generation that is polled until it ends. */
export interface PollLoop<R> {
  /** Its events. Time that the consumer spends between two events does not count towards the timeout. */
  readonly events: Stream.Stream<GenerationEvent, PollLoopError, ArtaApi | R>
  /** Its last event. Running the stream costs several times as much as the polls. */
  readonly outcome: Effect.Effect<Completed, PollLoopError, ArtaApi | R>
}

export interface PollLoopOptions<R> {
  readonly polling: Schedule.Schedule<unknown, GenerationStatus, R>
  readonly deadline: Deadline
  /** Whether the generation was accepted just now, so that its first poll may wait. Default: false. */
  readonly isNew?: boolean
}

/** Gets one status. A failed poll says nothing about the generation, so transient failures are retried. */
const makePoll = (
  recordId: RecordId,
  api: Service,
  { pollContext: { submittedAt }, report }: DurationRecorder,
  lastFailure: Ref.Ref<string | undefined>
) =>
  Metric.increment(polls).pipe(
    Effect.zipRight(api.status(recordId)),
    Effect.tapBoth({
      onFailure: (error) =>
        Effect.zipRight(Ref.set(lastFailure, error.message), Effect.logDebug(`A poll failed: ${error.message}`)),
      onSuccess: () => Ref.set(lastFailure, undefined)
    }),
    Effect.retry({
      schedule: retryForever,
      while: (error) =>
        submittedAt !== undefined && isUnknownRecord(error)
          ? Effect.map(monotonicSeconds, (now) => now - submittedAt < unknownRecordGrace)
          : isTransient(error)
    }),
    Effect.mapError(withRecordId(recordId)),
    Effect.tap(report)
  )

const completed = (
  recordId: RecordId,
  elapsed: Duration.Duration,
  { images, missing = 0 }: Extract<GenerationStatus, { readonly _tag: "Done" }>,
  request: GenerateRequest | undefined
) => {
  const undelivered = Math.max(missing, (request?.n ?? 0) - images.length)
  return new Completed({ recordId, elapsed, images, missing: undelivered, ...(request && { request }) }, skipValidation)
}

const isCompleted = (event: GenerationEvent): event is Completed => event._tag === "Completed"

/** Prepares to poll a generation until it ends. */
export const pollLoop = <R>(
  recordId: RecordId,
  { deadline, isNew = false, polling }: PollLoopOptions<R>
): Effect.Effect<PollLoop<R>, never, ArtaApi> =>
  Effect.gen(function* () {
    const api = yield* ArtaApi
    const submission = yield* recall(api, recordId)
    const submittedAt = submission?.recorder.pollContext.submittedAt ?? Number.NEGATIVE_INFINITY
    const isRecent = (yield* monotonicSeconds) - submittedAt < resumedAfter
    const recorder = submission !== undefined && isRecent ? submission.recorder : noRecorder
    const lastFailure = yield* Ref.make<string | undefined>(undefined)
    const poll = makePoll(recordId, api, recorder, lastFailure)
    const driver = yield* Schedule.driver(polling)
    const lastStatus = yield* Ref.make<Pending | undefined>(undefined)

    const progress = Effect.zipWith(lastStatus, lastFailure, (last, reason) => ({
      recordId,
      lastStatus: last && wireNames[last._tag],
      reason
    }))

    const pause = (pending: Pending) =>
      Effect.catchAll(driver.next(pending), () => Effect.flatMap(progress, deadline.expire))

    const pollUntilChanged = (pending: Pending): Effect.Effect<GenerationStatus, PollLoopError, R> =>
      Effect.flatMap(Effect.zipRight(pause(pending), poll), (status) =>
        status._tag === pending._tag ? pollUntilChanged(pending) : Effect.succeed(status)
      )

    const firstPoll = isNew && placesFirstPoll.has(polling) ? Effect.zipRight(pause({ _tag: "Queued" }), poll) : poll

    const next = Effect.gen(function* () {
      const last = yield* Ref.get(lastStatus)
      const status = yield* last === undefined ? firstPoll : pollUntilChanged(last)
      const elapsed = yield* deadline.elapsed
      switch (status._tag) {
        case "Queued":
          yield* Ref.set(lastStatus, status)
          return new Queued({ recordId, elapsed }, skipValidation)
        case "InProgress":
          yield* Ref.set(lastStatus, status)
          return new InProgress({ recordId, elapsed }, skipValidation)
        case "Done":
          return completed(recordId, elapsed, status, submission?.request)
        case "Failed":
          return yield* new Errors.GenerationFailedError({ recordId, status: status.status, detail: status.detail })
      }
    })

    const outcome = Effect.repeat(next, { until: isCompleted })

    const limit = deadline.limit(progress)
    const bounded = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      limit(Effect.provideService(effect, PollContext, recorder.pollContext)).pipe(Effect.annotateLogs({ recordId }))

    return {
      events: Stream.takeUntil(Stream.repeatEffect(bounded(next)), isCompleted),
      outcome: bounded(outcome)
    }
  })
