import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { StatusError } from "../../ArtaApi.js"
import { ArtaApi } from "../../ArtaApi.js"
import * as Errors from "../../ArtaError.js"
import type { GenerationEvent, GenerationStatus, RecordId } from "../../Generation.js"
import { Completed, InProgress, Queued } from "../../Generation.js"
import { stopwatch } from "../clock.js"
import type { Deadline } from "./deadline.js"
import type { DurationRecorder } from "../adaptivePolling/durationHistory.js"
import { noRecorder, PollContext } from "../adaptivePolling/durationHistory.js"
import { unusableUrl } from "../http.js"
import { polls } from "../metrics.js"
import { withAttemptSpan, retryForever, retryLazily } from "../retry.js"

type Pending = Extract<GenerationStatus, { readonly _tag: "Queued" | "InProgress" }>

// A service may need a moment until it knows what it has just accepted.
const grace = Duration.seconds(10)

const isTransient = (error: StatusError): boolean =>
  (error._tag === "TransportError" && error.reason !== unusableUrl) ||
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
// The error itself may be shared: a token that cannot be renewed fails everybody who waits for it.
const withRecordId = (recordId: RecordId) => (error: StatusError) =>
  Schema.decodeSync(Resumable)({ ...Schema.encodeSync(Resumable)(error), recordId })

// Their parts were checked when they were read, and to check them again takes longer than all else about an event.
export const skipValidation = { disableValidation: true }

const wireNames = { Queued: "IN_QUEUE", InProgress: "IN_PROGRESS" } as const

type PollLoopError = StatusError | Errors.GenerationFailedError | Errors.GenerationTimeoutError

/** A generation under way, polled until it ends. */
export interface PollLoop<R> {
  /** Its events. What passes between two of them is the consumer's time and is not counted. */
  readonly events: Stream.Stream<GenerationEvent, PollLoopError, ArtaApi | R>
  /** Its last event only: running the stream costs several times as much as the polls. */
  readonly outcome: Effect.Effect<Completed, PollLoopError, ArtaApi | R>
}

export interface PollLoopOptions<R> {
  readonly polling: Schedule.Schedule<unknown, GenerationStatus, R>
  readonly deadline: Deadline
  /** Given where the generation was submitted just now. */
  readonly submission?: DurationRecorder
}

/** Polls a generation until it ends. A failed poll says nothing about the generation, so polling goes on. */
export const pollLoop = <R>(
  recordId: RecordId,
  { deadline, polling, submission }: PollLoopOptions<R>
): Effect.Effect<PollLoop<R>, never, ArtaApi> =>
  Effect.gen(function* () {
    const api = yield* ArtaApi
    const driver = yield* Schedule.driver(polling)
    const isNew = submission !== undefined
    const sinceSubmitted = yield* stopwatch
    const { pollContext, report } = submission ?? noRecorder

    const isWorthAnotherPoll = (error: StatusError) =>
      isNew && isUnknownRecord(error) ? Effect.map(sinceSubmitted, Duration.lessThan(grace)) : isTransient(error)

    const ask = yield* withAttemptSpan(api.status(recordId))
    const poll = Metric.increment(polls).pipe(
      Effect.zipRight(ask),
      Effect.tapError((error) => Effect.logDebug(`A poll of ${recordId} failed: ${error.message}`)),
      (attempt) => retryLazily(attempt, { schedule: retryForever, while: isWorthAnotherPoll }),
      Effect.mapError(withRecordId(recordId)),
      Effect.tap(report)
    )

    let before: Pending | undefined
    const progress = () => ({ recordId, lastStatus: before && wireNames[before._tag] })
    const pause = (pending: Pending) => Effect.catchAll(driver.next(pending), () => deadline.expire(progress()))

    const changed = (pending: Pending): Effect.Effect<GenerationStatus, PollLoopError, R> =>
      Effect.flatMap(Effect.zipRight(pause(pending), poll), (status) =>
        status._tag === pending._tag ? changed(pending) : Effect.succeed(status)
      )

    const next = Effect.gen(function* () {
      const status = yield* before === undefined ? poll : changed(before)
      const elapsed = yield* deadline.elapsed
      switch (status._tag) {
        case "Queued":
          before = status
          return new Queued({ recordId, elapsed }, skipValidation)
        case "InProgress":
          before = status
          return new InProgress({ recordId, elapsed }, skipValidation)
        case "Done":
          return new Completed({ recordId, elapsed, images: status.images }, skipValidation)
        case "Failed":
          return yield* new Errors.GenerationFailedError({ recordId, status: status.status, detail: status.detail })
      }
    })

    const outcome: Effect.Effect<Completed, PollLoopError, ArtaApi | R> = Effect.flatMap(next, (event) =>
      event._tag === "Completed" ? Effect.succeed(event) : outcome
    )

    const limit = deadline.limit(progress)
    const bounded = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      limit(Effect.provideService(effect, PollContext, pollContext))

    return {
      events: Stream.paginateEffect(undefined, () =>
        Effect.map(bounded(next), (event) => [
          event,
          event._tag === "Completed" ? Option.none() : Option.some(undefined)
        ])
      ),
      outcome: bounded(outcome)
    }
  })
