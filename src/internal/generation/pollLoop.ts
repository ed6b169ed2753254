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
import type { Observed } from "../adaptivePolling/durationHistory.js"
import { Polled, unknown } from "../adaptivePolling/durationHistory.js"
import { unusableUrl } from "../http.js"
import { polls } from "../metrics.js"
import { numbered, patiently, retried } from "../retry.js"

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
export const known = { disableValidation: true }

const wireNames = { Queued: "IN_QUEUE", InProgress: "IN_PROGRESS" } as const

type FollowError = StatusError | Errors.GenerationFailedError | Errors.GenerationTimeoutError

/** A generation that is being polled. */
export interface Followed<R> {
  /** Its events. What passes between two of them is the consumer's time and is not counted. */
  readonly events: Stream.Stream<GenerationEvent, FollowError, ArtaApi | R>
  /** Its last event, for whoever has no use for the others: a stream takes several times the work of the polls. */
  readonly outcome: Effect.Effect<Completed, FollowError, ArtaApi | R>
}

export interface FollowOptions<R> {
  readonly polling: Schedule.Schedule<unknown, GenerationStatus, R>
  readonly deadline: Deadline
  /** Given where the generation was submitted just now. */
  readonly submission?: Observed
}

/** Polls a generation until it ends. A failed poll says nothing about the generation, so polling goes on. */
export const follow = <R>(
  recordId: RecordId,
  { deadline, polling, submission }: FollowOptions<R>
): Effect.Effect<Followed<R>, never, ArtaApi> =>
  Effect.gen(function* () {
    const api = yield* ArtaApi
    const driver = yield* Schedule.driver(polling)
    const isNew = submission !== undefined
    const sinceSubmitted = yield* stopwatch
    const { polled, report } = submission ?? unknown

    const isWorthAnotherPoll = (error: StatusError) =>
      isNew && isUnknownRecord(error) ? Effect.map(sinceSubmitted, Duration.lessThan(grace)) : isTransient(error)

    const ask = yield* numbered(api.status(recordId))
    const poll = Metric.increment(polls).pipe(
      Effect.zipRight(ask),
      Effect.tapError((error) => Effect.logDebug(`A poll of ${recordId} failed: ${error.message}`)),
      (attempt) => retried(attempt, { schedule: patiently, while: isWorthAnotherPoll }),
      Effect.mapError(withRecordId(recordId)),
      Effect.tap(report)
    )

    let before: Pending | undefined
    const progress = () => ({ recordId, lastStatus: before && wireNames[before._tag] })
    const pause = (pending: Pending) => Effect.catchAll(driver.next(pending), () => deadline.expire(progress()))

    const changed = (pending: Pending): Effect.Effect<GenerationStatus, FollowError, R> =>
      Effect.flatMap(Effect.zipRight(pause(pending), poll), (status) =>
        status._tag === pending._tag ? changed(pending) : Effect.succeed(status)
      )

    const next = Effect.gen(function* () {
      const status = yield* before === undefined ? poll : changed(before)
      const elapsed = yield* deadline.elapsed
      switch (status._tag) {
        case "Queued":
          before = status
          return new Queued({ recordId, elapsed }, known)
        case "InProgress":
          before = status
          return new InProgress({ recordId, elapsed }, known)
        case "Done":
          return new Completed({ recordId, elapsed, images: status.images }, known)
        case "Failed":
          return yield* new Errors.GenerationFailedError({ recordId, status: status.status, detail: status.detail })
      }
    })

    const outcome: Effect.Effect<Completed, FollowError, ArtaApi | R> = Effect.flatMap(next, (event) =>
      event._tag === "Completed" ? Effect.succeed(event) : outcome
    )

    const limit = deadline.limit(progress)
    const bounded = <A, E, R>(effect: Effect.Effect<A, E, R>) => limit(Effect.provideService(effect, Polled, polled))

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
