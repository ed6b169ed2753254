import type * as HttpClient from "@effect/platform/HttpClient"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Arta from "../../../Arta.js"
import type { ArtaApi } from "../../../ArtaApi.js"
import type { DownloadError, ResponseError, RunError } from "../../../ArtaError.js"
import type { Auth } from "../../../Auth.js"
import { Generation } from "../../../Generation.js"
import type { RowsRefusedError, RunnerError } from "../../BatchError.js"
import type { RowOutcome } from "../../BatchRow.js"
import { ImageSink } from "../../ImageSink.js"
import { SubmissionLedger } from "../../SubmissionLedger.js"
import { retryWhileLimited } from "../ledger/rateLimits.js"
import type { ClaimedRow } from "./storedRow.js"
import { keyOf } from "./storedRow.js"

/** The errors that affect every row: a runner stops with them. */
export type Fatal = Exclude<RunnerError, RowsRefusedError>

export type RowServices = SubmissionLedger | ImageSink | ArtaApi | Auth | HttpClient.HttpClient

export interface ProcessOptions {
  /** How long a generation may take. */
  readonly timeout: Duration.DurationInput
  /** Runs once the service has accepted the row's submission. */
  readonly accepted: Effect.Effect<void>
  /** Limits how many rows hold their images in memory. */
  readonly limitSaving: <A, E, R>(saving: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** Between one second and half a minute, for five minutes. */
const reconnecting = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced("30 seconds")),
  Schedule.jittered,
  Schedule.upTo("5 minutes")
)

/** Each attempt has retries of its own: this is for a host that is down for a few minutes. */
const downloadingAgain = Schedule.intersect(Schedule.exponential("5 seconds"), Schedule.recurs(4))

/** Submits the row, or finds its submission. Nothing was sent before an error that is retried here. */
const submit = (row: ClaimedRow, timeout: Duration.DurationInput) =>
  Effect.flatMap(SubmissionLedger, (ledger) =>
    ledger
      .submit(keyOf(row), row.request)
      .pipe(Effect.retry({ schedule: reconnecting, while: ({ _tag }) => _tag === "TransportError" }), (submission) =>
        retryWhileLimited(submission, timeout)
      )
  )

interface Submitted {
  readonly generation: Generation
  /** No image of the generation was saved before. */
  readonly since: DateTime.Utc
}

/** The generation of a submission. `Arta.resume` does not know its request. */
const generationOf = (row: ClaimedRow, { accepted, timeout }: ProcessOptions) =>
  Effect.gen(function* () {
    const { outcome, recordedAt, recordId, request } = yield* submit(row, timeout)
    yield* accepted
    const since = yield* Option.match(recordedAt, { onNone: () => DateTime.now, onSome: Effect.succeed })
    if (Option.isSome(outcome)) return { generation: yield* outcome.value, since }
    const { elapsed, images, missing } = yield* Arta.resume(recordId, { timeout })
    const generation = new Generation({
      recordId,
      images,
      elapsed,
      request,
      missing: Math.max(missing, request.n - images.length)
    })
    return { generation, since }
  })

const save = (row: ClaimedRow, { generation, since }: Submitted, { limitSaving }: ProcessOptions) =>
  Effect.flatMap(ImageSink, (sink) =>
    limitSaving(sink.save(generation, { name: row.name, batch: row.batch, since })).pipe(
      Effect.retry({ schedule: downloadingAgain, while: ({ _tag }) => _tag === "DownloadError" })
    )
  )

const failed = (
  error: Exclude<RunError | DownloadError, { readonly _tag: "SubmissionUnknownError" }>
): Effect.Effect<RowOutcome> => {
  const recordId = "recordId" in error ? error.recordId : undefined
  return Effect.succeed({ _tag: "Failed", error, ...(recordId === undefined ? {} : { recordId }) })
}

const paymentRequired = 402

const fromResponseError = (error: ResponseError): Effect.Effect<RowOutcome, ResponseError> => {
  const isOfRow = error.operation === "submit" ? error.status !== paymentRequired : error.operation === "status"
  return isOfRow ? failed(error) : Effect.fail(error)
}

/**
 * Submits a row at most once, waits for its images and saves them, from wherever an earlier runner stopped. Fails if
 * the reason is not in the row.
 */
export const processRow = (row: ClaimedRow, options: ProcessOptions): Effect.Effect<RowOutcome, Fatal, RowServices> =>
  Effect.gen(function* () {
    const submitted = yield* generationOf(row, options)
    const images = yield* save(row, submitted, options)
    const { generation } = submitted
    const outcome: RowOutcome = { _tag: "Saved", recordId: generation.recordId, images, missing: generation.missing }
    return outcome
  }).pipe(
    Effect.catchTags({
      SubmissionUnknownError: ({ reason }) => Effect.succeed<RowOutcome>({ _tag: "Unknown", reason }),
      ResponseError: fromResponseError,
      InvalidRequestError: failed,
      GenerationFailedError: failed,
      GenerationTimeoutError: failed,
      DownloadError: failed
    }),
    Effect.withSpan("DurableBatch.row", { captureStackTrace: false, attributes: { batch: row.batch, row: row.row } })
  )
