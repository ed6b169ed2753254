import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as MutableRef from "effect/MutableRef"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as Schema from "effect/Schema"
import type * as Tracer from "effect/Tracer"
import type { Service, StatusError } from "../../ArtaApi.js"
import { ArtaApi } from "../../ArtaApi.js"
import * as Errors from "../../ArtaError.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationEvent, GenerationStatus, RecordId } from "../../Generation.js"
import { Completed, InProgress, Queued } from "../../Generation.js"
import { monotonicSeconds } from "../clock.js"
import type { DurationRecorder } from "../durationRecorder.js"
import { noRecorder, placesFirstPoll, PollContext } from "../durationRecorder.js"
import { isPermanent } from "../http.js"
import { addLogAnnotation, addToContext } from "../fiberContext.js"
import { countedPoll } from "../metrics.js"
import { afterFailure, retryForever } from "../retry.js"
import { limitTime } from "../timeLimit.js"
import type { Deadline } from "./deadline.js"
import { elapsed, expire } from "./deadline.js"
import { recall } from "./submissions.js"

type Pending = Extract<GenerationStatus, { readonly _tag: "Queued" | "InProgress" }>
type Ended = Exclude<GenerationStatus, Pending>

const queued: Pending = { _tag: "Queued" }

const isPending = (status: GenerationStatus): status is Pending =>
  status._tag === "Queued" || status._tag === "InProgress"

// Seconds. The service may not know a generation yet that it has just accepted.
const unknownRecordGrace = 10

// Seconds. A generation that is first polled later than this may have changed its stage at any time before.
const resumedAfter = 2

const isTransient = (error: StatusError): boolean =>
  // Also a sign-up whose response cannot be used: it is only repeated after a cooldown.
  (error._tag === "TransportError" && (error.sent || !isPermanent(error))) ||
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

/** Runs for an event, before the next poll. */
export type OnEvent = (event: GenerationEvent) => Effect.Effect<unknown>

type PollLoopError = StatusError | Errors.GenerationFailedError | Errors.GenerationTimeoutError

export interface PollLoopOptions<R> {
  readonly polling: Schedule.Schedule<unknown, GenerationStatus, R>
  readonly deadline: Deadline
  /** Whether the generation was accepted just now, so that its first poll may wait. Default: false. */
  readonly isNew?: boolean
  /** The span of the generation. Default: the current span of the fiber that polls. */
  readonly span?: Tracer.Span | undefined
}

/** A generation that is polled until it ends. A thousand may wait at once, so it holds no more than it needs. */
export interface PollLoop<R> {
  readonly api: Service
  readonly recordId: RecordId
  readonly request: GenerateRequest | undefined
  readonly recorder: DurationRecorder
  readonly deadline: Deadline
  readonly span: Tracer.Span | undefined
  readonly polling: Schedule.Schedule<unknown, GenerationStatus, R>
  readonly pollingState: MutableRef.MutableRef<unknown>
  readonly placesFirstPoll: boolean
  readonly lastStatus: MutableRef.MutableRef<Pending | undefined>
  readonly lastFailure: MutableRef.MutableRef<string | undefined>
}

/** Prepares to poll a generation until it ends. */
export const makePollLoop = <R>(
  recordId: RecordId,
  { deadline, isNew = false, polling, span }: PollLoopOptions<R>
): Effect.Effect<PollLoop<R>, never, ArtaApi> =>
  Effect.flatMap(ArtaApi, (api) =>
    Effect.flatMap(recall(api, recordId), (submission) =>
      Effect.map(monotonicSeconds, (now): PollLoop<R> => {
        const submittedAt = submission?.recorder.pollContext.submittedAt ?? Number.NEGATIVE_INFINITY
        const isRecent = now - submittedAt < resumedAfter
        return {
          api,
          recordId,
          request: submission?.request,
          recorder: submission !== undefined && isRecent ? submission.recorder : noRecorder,
          deadline,
          span,
          polling,
          pollingState: MutableRef.make<unknown>(polling.initial),
          placesFirstPoll: isNew && placesFirstPoll.has(polling),
          lastStatus: MutableRef.make<Pending | undefined>(undefined),
          lastFailure: MutableRef.make<string | undefined>(undefined)
        }
      })
    )
  )

const attempt = <R>({ api, recordId }: PollLoop<R>): Effect.Effect<GenerationStatus, StatusError> =>
  countedPoll(api.status(recordId))

type AfterPoll<A, R> = (status: GenerationStatus) => Effect.Effect<A, PollLoopError, R>

/**
 * Gets one status, and goes on with it. A failed poll says nothing about the generation, so transient failures are
 * retried.
 */
const poll = <A, R>(loop: PollLoop<R>, next: AfterPoll<A, R>): Effect.Effect<A, PollLoopError, R> => {
  const reported: AfterPoll<A, R> = (status) => loop.recorder.report(status, next(status))
  const retried = (error: StatusError) =>
    Effect.flatMap(afterFailure(error, attempt(loop)), (again) => retryPoll(loop, again))
  return Effect.matchEffect(attempt(loop), {
    onFailure: (error) => Effect.flatMap(retried(error), reported),
    onSuccess: reported
  })
}

const retryPoll = <R>(
  { lastFailure, recordId, recorder }: PollLoop<R>,
  attempt: Effect.Effect<GenerationStatus, StatusError>
): Effect.Effect<GenerationStatus, StatusError> => {
  const { submittedAt } = recorder.pollContext
  return attempt.pipe(
    Effect.tapError(({ message }) => {
      MutableRef.set(lastFailure, message)
      return Effect.logDebug(`A poll failed: ${message}`)
    }),
    Effect.retry({
      schedule: retryForever,
      while: (error) =>
        submittedAt !== undefined && isUnknownRecord(error)
          ? Effect.map(monotonicSeconds, (now) => now - submittedAt < unknownRecordGrace)
          : isTransient(error)
    }),
    Effect.mapError(withRecordId(recordId)),
    Effect.tap(() => {
      MutableRef.set(lastFailure, undefined)
    })
  )
}

const expireWithProgress = <R>({
  deadline,
  lastFailure,
  lastStatus,
  recordId
}: PollLoop<R>): Effect.Effect<never, Errors.GenerationTimeoutError> =>
  Effect.suspend(() =>
    expire(deadline, {
      recordId,
      lastStatus: lastStatus.current && wireNames[lastStatus.current._tag],
      reason: lastFailure.current
    })
  )

/**
 * Waits as the schedule says, unless the first poll is due at once. Does what `Schedule.driver` does, which also keeps
 * outputs and serves `Effect.retry`.
 */
const pause = <R>(loop: PollLoop<R>): Effect.Effect<void, Errors.GenerationTimeoutError, R> =>
  Effect.clockWith((clock) => {
    const pending = loop.lastStatus.current ?? (loop.placesFirstPoll ? queued : undefined)
    if (pending === undefined) return Effect.void
    const now = clock.unsafeCurrentTimeMillis()
    return Effect.flatMap(loop.polling.step(now, pending, loop.pollingState.current), ([state, , decision]) => {
      MutableRef.set<unknown>(loop.pollingState, state)
      return ScheduleDecision.isDone(decision)
        ? expireWithProgress(loop)
        : clock.sleep(Duration.millis(ScheduleIntervals.start(decision.intervals) - now))
    })
  })

type IsWanted<S extends GenerationStatus> = (status: GenerationStatus, previous: Pending | undefined) => status is S

type Next<S extends GenerationStatus, A, R> = (loop: PollLoop<R>, status: S) => Effect.Effect<A, PollLoopError, R>

const hasChanged = (status: GenerationStatus, previous: Pending | undefined): status is GenerationStatus =>
  status._tag !== previous?._tag

const hasEnded = (status: GenerationStatus): status is Ended => !isPending(status)

// Continues inside the last poll instead of in an outer `flatMap`: a waiting fiber retains every pending continuation.
const pollUntil = <S extends GenerationStatus, A, R>(
  loop: PollLoop<R>,
  isWanted: IsWanted<S>,
  next: Next<S, A, R>
): Effect.Effect<A, PollLoopError, R> =>
  Effect.flatMap(pause(loop), () =>
    poll(loop, (status) => {
      const previous = loop.lastStatus.current
      if (isPending(status)) MutableRef.set(loop.lastStatus, status)
      return isWanted(status, previous) ? next(loop, status) : pollUntil(loop, isWanted, next)
    })
  )

const completed = <R>(
  { deadline, recordId, request }: PollLoop<R>,
  status: Ended
): Effect.Effect<Completed, Errors.GenerationFailedError> => {
  if (status._tag === "Failed") {
    return new Errors.GenerationFailedError({ recordId, status: status.status, detail: status.detail })
  }
  const { images } = status
  const missing = request === undefined ? (status.missing ?? 0) : Math.max(0, request.n - images.length)
  return Effect.map(
    elapsed(deadline),
    (elapsed) => new Completed({ recordId, elapsed, images, missing, ...(request && { request }) }, skipValidation)
  )
}

const toEvent = <R>(
  loop: PollLoop<R>,
  status: GenerationStatus
): Effect.Effect<GenerationEvent, Errors.GenerationFailedError> => {
  if (!isPending(status)) return completed(loop, status)
  const Event = status._tag === "Queued" ? Queued : InProgress
  return Effect.map(
    elapsed(loop.deadline),
    (elapsed) => new Event({ recordId: loop.recordId, elapsed }, skipValidation)
  )
}

const describeFiber = <R>({ recordId, recorder, span }: PollLoop<R>): Effect.Effect<void> =>
  Effect.zipRight(addToContext(PollContext, recorder.pollContext, span), addLogAnnotation("recordId", recordId))

const pollInTime = <S extends GenerationStatus, A, R>(
  loop: PollLoop<R>,
  isWanted: IsWanted<S>,
  next: Next<S, A, R>
): Effect.Effect<A, PollLoopError, R> =>
  limitTime(
    Effect.suspend(() => Effect.flatMap(describeFiber(loop), () => pollUntil(loop, isWanted, next))),
    loop.deadline.budget,
    expireWithProgress(loop)
  )

/** The next event of a generation. Time between two of them does not count towards the timeout. */
export const nextEvent = <R>(loop: PollLoop<R>): Effect.Effect<GenerationEvent, PollLoopError, R> =>
  pollInTime(loop, hasChanged, toEvent)

const isCompleted = (event: GenerationEvent): event is Completed => event._tag === "Completed"

const reportUntilCompleted = <R>(loop: PollLoop<R>, onEvent: OnEvent): Effect.Effect<Completed, PollLoopError, R> =>
  Effect.flatMap(nextEvent(loop), (event) =>
    isCompleted(event) ? Effect.succeed(event) : Effect.zipRight(onEvent(event), reportUntilCompleted(loop, onEvent))
  )

/**
 * The last event of a generation. `onEvent` receives those before it, and its time does not count towards the timeout.
 * Running a stream costs several times as much as the polls.
 */
export const outcome = <R>(loop: PollLoop<R>, onEvent?: OnEvent): Effect.Effect<Completed, PollLoopError, R> =>
  onEvent === undefined ? pollInTime(loop, hasEnded, completed) : reportUntilCompleted(loop, onEvent)
