import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { StatusError } from "../ArtaApi.js"
import { ArtaApi } from "../ArtaApi.js"
import * as Errors from "../ArtaError.js"
import type { GenerationEvent, GenerationStatus, RecordId } from "../Generation.js"
import { Completed, InProgress, Queued } from "../Generation.js"
import { patiently } from "./retrying.js"

type Pending = Extract<GenerationStatus, { readonly _tag: "Queued" | "InProgress" }>

/** The time that a generation has taken so far and may take in all. */
export interface Deadline {
  readonly elapsed: Effect.Effect<Duration.Duration>
  /** Gives an effect what is left of the time. */
  readonly limit: (
    fields: Pick<Errors.GenerationTimeoutError, "recordId" | "lastStatus">
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | Errors.GenerationTimeoutError, R>
}

// The clock that no one can set. Under `TestClock`, only this way of reading it takes fractions of a millisecond.
const monotonic = Effect.map(Effect.clock, (clock) => clock.unsafeCurrentTimeNanos())

export const deadlineIn = (timeout: Duration.DurationInput): Effect.Effect<Deadline> =>
  Effect.map(monotonic, (since) => {
    const elapsed = Effect.map(monotonic, (now) => Duration.millis(Number((now - since) / 1_000_000n)))
    return {
      elapsed,
      limit: (fields) => (effect) =>
        Effect.flatMap(elapsed, (spent) =>
          Effect.timeoutFail(effect, {
            duration: Duration.subtract(timeout, spent),
            onTimeout: () => new Errors.GenerationTimeoutError({ ...fields, elapsed: Duration.max(spent, timeout) })
          })
        )
    }
  })

const isTransient = (error: StatusError): boolean =>
  error._tag === "TransportError" ||
  error._tag === "RateLimitedError" ||
  (error._tag === "ResponseError" && (error.status < 300 || error.status === 408 || error.status >= 500))

const StatusErrors = Schema.Union(
  Errors.AuthError,
  Errors.TokenStoreError,
  Errors.TransportError,
  Errors.ResponseError,
  Errors.RateLimitedError,
  Errors.UnauthorizedError
)

const withRecordId = (recordId: RecordId) => (error: StatusError) =>
  Schema.decodeSync(StatusErrors)({ ...Schema.encodeSync(StatusErrors)(error), recordId })

const wireNames = { Queued: "IN_QUEUE", InProgress: "IN_PROGRESS" } as const

type Page = readonly [event: GenerationEvent, pending: Option.Option<Option.Option<Pending>>]

const going = (event: GenerationEvent, pending: Pending): Page => [event, Option.some(Option.some(pending))]

const last = (event: GenerationEvent): Page => [event, Option.none()]

/** Polls a generation until it ends. A failed poll says nothing about the generation, so polling goes on. */
export const follow = <R>(
  recordId: RecordId,
  polling: Schedule.Schedule<unknown, GenerationStatus, R>,
  deadline: Deadline
): Stream.Stream<
  GenerationEvent,
  StatusError | Errors.GenerationFailedError | Errors.GenerationTimeoutError,
  ArtaApi | R
> =>
  Effect.gen(function* () {
    const api = yield* ArtaApi
    const driver = yield* Schedule.driver(polling)

    const poll = api
      .status(recordId)
      .pipe(Effect.retry({ schedule: patiently, while: isTransient }), Effect.mapError(withRecordId(recordId)))

    const pause = (pending: Pending) =>
      Effect.catchAll(driver.next(pending), () =>
        Effect.flatMap(
          deadline.elapsed,
          (elapsed) => new Errors.GenerationTimeoutError({ recordId, elapsed, lastStatus: wireNames[pending._tag] })
        )
      )

    const nextStatus = Option.match({
      onNone: () => deadline.limit({ recordId })(poll),
      onSome: (pending: Pending) =>
        Effect.zipRight(pause(pending), poll).pipe(
          Effect.repeat({ until: (status) => status._tag !== pending._tag }),
          deadline.limit({ recordId, lastStatus: wireNames[pending._tag] })
        )
    })

    return Stream.paginateEffect(Option.none<Pending>(), (before) =>
      Effect.gen(function* () {
        const status = yield* nextStatus(before)
        const elapsed = yield* deadline.elapsed
        switch (status._tag) {
          case "Queued":
            return going(new Queued({ recordId, elapsed }), status)
          case "InProgress":
            return going(new InProgress({ recordId, elapsed }), status)
          case "Done":
            return last(new Completed({ recordId, elapsed, images: status.images }))
          case "Failed":
            return yield* new Errors.GenerationFailedError({ recordId, status: status.status, detail: status.detail })
        }
      })
    )
  }).pipe(Stream.unwrap)
