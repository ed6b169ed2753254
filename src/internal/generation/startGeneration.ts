import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Ref from "effect/Ref"
import type { Service, SubmitError } from "../../ArtaApi.js"
import { ArtaApi } from "../../ArtaApi.js"
import type { RateLimitedError } from "../../ArtaError.js"
import type { GenerateRequest, Options } from "../../GenerateRequest.js"
import { recordDurations } from "../durationRecorder.js"
import { addToContext } from "../fiberContext.js"
import { MaybeSent } from "../maybeSent.js"
import { countedStart } from "../metrics.js"
import { retryForever, retryLazily } from "../retry.js"
import { expire, limit, makeDeadline, timeLeft } from "./deadline.js"
import type { Limits } from "./parseOptions.js"
import { decodeOptions } from "./parseOptions.js"
import { remember } from "./submissions.js"
import { annotateRecordId, annotateRequest } from "./telemetry.js"

const submit = Effect.fnUntraced(function* (api: Service, request: GenerateRequest, timeout: Duration.DurationInput) {
  const deadline = yield* makeDeadline(timeout)
  // If the service refused the last submission, it accepted nothing: fail with that refusal instead of the timeout.
  const refusal = yield* Ref.make<RateLimitedError | undefined>(undefined)
  const maybeSent = yield* Ref.make(false)
  const attempt = Ref.set(maybeSent, true).pipe(
    Effect.zipRight(api.submit(request)),
    Effect.tapErrorTag("RateLimitedError", (error) =>
      Effect.zipRight(Ref.set(maybeSent, false), Ref.set(refusal, error))
    )
  )
  // After a rate limit, sending again is safe: nothing was accepted.
  const accepted = retryLazily({
    schedule: retryForever,
    while: (error: SubmitError) =>
      error._tag === "RateLimitedError" &&
      Effect.map(timeLeft(deadline), Duration.greaterThan(error.retryAfter ?? Duration.zero))
  })(attempt)
  const onTimeout = Effect.fnUntraced(function* () {
    const wasSent = yield* maybeSent
    const refused = yield* refusal
    return yield* refused === undefined || wasSent ? expire(deadline, wasSent ? { request } : {}) : refused
  })
  const recordId = yield* limit(deadline, Effect.zipRight(addToContext(MaybeSent, maybeSent), accepted), onTimeout)
  return { recordId, deadline }
})

interface StartOptions {
  readonly limits: Limits
  /** How long the whole generation may take. */
  readonly timeout: Duration.DurationInput
}

/** Submits a generation once the submission limiter lets it pass. */
export const startGeneration = Effect.fnUntraced(function* (options: Options, { limits, timeout }: StartOptions) {
  const request = yield* decodeOptions(options, limits)
  yield* annotateRequest(request)
  const api = yield* ArtaApi
  const limitSubmissions = api.limitSubmissions ?? identity
  const { deadline, recordId } = yield* limitSubmissions(submit(api, request, timeout))
  yield* annotateRecordId(recordId)
  yield* remember(api, recordId, { request, recorder: yield* recordDurations(request, api.apiUrl) })
  return { recordId, request, deadline }
}, countedStart)
