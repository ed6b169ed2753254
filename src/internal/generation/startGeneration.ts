import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as MutableRef from "effect/MutableRef"
import type * as Tracer from "effect/Tracer"
import type { Service, SubmitError as ApiError } from "../../ArtaApi.js"
import { ArtaApi } from "../../ArtaApi.js"
import type { GenerationTimeoutError, RateLimitedError, SubmitError } from "../../ArtaError.js"
import type { GenerateRequest, Options } from "../../GenerateRequest.js"
import type { RecordId } from "../../Generation.js"
import { recordDurations } from "../durationRecorder.js"
import { addToContext } from "../fiberContext.js"
import { MaybeSent } from "../maybeSent.js"
import { retryForever, retryLazily } from "../retry.js"
import { limitTime } from "../timeLimit.js"
import { decodeTimeout } from "../timeout.js"
import type { Deadline } from "./deadline.js"
import { expire, makeDeadline, timeLeft } from "./deadline.js"
import type { Limits } from "./parseOptions.js"
import { decodeOptions } from "./parseOptions.js"
import { remember } from "./submissions.js"
import { annotateRecordId, annotateRequest, inSpan } from "./telemetry.js"

const submit = (api: Service, request: GenerateRequest, deadline: Deadline, span?: Tracer.Span) =>
  Effect.suspend(() => {
    const maybeSent = MutableRef.make(false)
    // If the service refused the last submission, it accepted nothing: fail with that refusal instead of the timeout.
    const refusal = MutableRef.make<RateLimitedError | undefined>(undefined)
    const attempt = Effect.suspend(() => {
      MutableRef.set(maybeSent, true)
      return api.submit(request)
    }).pipe(
      Effect.tapErrorTag("RateLimitedError", (error) =>
        Effect.sync(() => {
          MutableRef.set(maybeSent, false)
          MutableRef.set(refusal, error)
        })
      )
    )
    // After a rate limit, sending again is safe: nothing was accepted.
    const accepted = retryLazily({
      schedule: retryForever,
      while: (error: ApiError) =>
        error._tag === "RateLimitedError" &&
        Effect.map(timeLeft(deadline), Duration.greaterThan(error.retryAfter ?? Duration.zero))
    })(attempt)
    const onTimeout = Effect.suspend((): Effect.Effect<never, GenerationTimeoutError | RateLimitedError> => {
      if (maybeSent.current) return expire(deadline, { request })
      return refusal.current ?? expire(deadline, {})
    })
    return limitTime(Effect.zipRight(addToContext(MaybeSent, maybeSent, span), accepted), deadline.budget, onTimeout)
  })

export interface StartOptions {
  readonly limits: Limits
  /** How long the whole generation may take. */
  readonly timeout: Duration.DurationInput
}

/** A generation that the service has accepted. */
export interface Started {
  readonly recordId: RecordId
  readonly request: GenerateRequest
  readonly deadline: Deadline
}

/** Goes on with what was decoded, or fails in the span. */
const whenValid = <A, E, B, E2, R>(
  decoded: Either.Either<A, E>,
  span: Tracer.Span | undefined,
  next: (value: A) => Effect.Effect<B, E2, R>
): Effect.Effect<B, E | E2, R> =>
  Either.isLeft(decoded) ? inSpan(Effect.fail(decoded.left), span) : next(decoded.right)

const submitPrepared = Effect.fnUntraced(function* (
  api: Service,
  request: GenerateRequest,
  timeout: Duration.Duration,
  span?: Tracer.Span
) {
  yield* annotateRequest(request, span)
  const deadline = yield* makeDeadline(timeout)
  const recordId = yield* submit(api, request, deadline, span)
  yield* annotateRecordId(recordId, span)
  yield* remember(api, recordId, { request, recorder: yield* recordDurations(request, api.apiUrl) })
  return { recordId, request, deadline }
})

/**
 * Submits a generation once the submission limiter lets it pass, in the given span. A fiber that waits for the limiter
 * does not hold the span in its context: thousands may wait at once.
 */
export const startGeneration = (
  options: Options,
  settings: StartOptions,
  span?: Tracer.Span
): Effect.Effect<Started, SubmitError, ArtaApi> =>
  Effect.flatMap(ArtaApi, (api) =>
    Effect.flatMap(decodeOptions(options, settings.limits), (decoded) =>
      whenValid(decoded, span, (request) => {
        // Waiting for the limiter does not count. It may run the submission in any fiber, and more than once.
        const { limitSubmissions = identity } = api
        return limitSubmissions(
          Effect.suspend(() =>
            whenValid(decodeTimeout(settings.timeout), span, (timeout) => submitPrepared(api, request, timeout, span))
          )
        )
      })
    )
  )
