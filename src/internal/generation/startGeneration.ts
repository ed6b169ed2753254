import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Ref from "effect/Ref"
import type { Service } from "../../ArtaApi.js"
import { ArtaApi } from "../../ArtaApi.js"
import type { RateLimitedError } from "../../ArtaError.js"
import type { GenerateRequest, Options } from "../../GenerateRequest.js"
import { recordDurations } from "../durationRecorder.js"
import { MaybeSent } from "../maybeSent.js"
import { countedStart } from "../metrics.js"
import { retryForever } from "../retry.js"
import { deadlineIn } from "./deadline.js"
import type { Limits } from "./parseOptions.js"
import { decodeOptions } from "./parseOptions.js"
import { remember } from "./submissions.js"
import { annotateRecordId, annotateRequest } from "./telemetry.js"

const submit = Effect.fnUntraced(function* (api: Service, request: GenerateRequest, timeout: Duration.DurationInput) {
  const deadline = yield* deadlineIn(timeout)
  // If the service refused the last submission, it accepted nothing: fail with that refusal instead of the timeout.
  const refusal = yield* Ref.make<RateLimitedError | undefined>(undefined)
  const maybeSent = yield* Ref.make(false)
  const attempt = Ref.set(maybeSent, true).pipe(
    Effect.zipRight(Effect.provideService(api.submit(request), MaybeSent, maybeSent)),
    Effect.tapErrorTag("RateLimitedError", (error) =>
      Effect.zipRight(Ref.set(maybeSent, false), Ref.set(refusal, error))
    )
  )
  // After a rate limit, sending again is safe: nothing was accepted.
  const accepted = Effect.retry(attempt, {
    schedule: retryForever,
    while: (error) =>
      error._tag === "RateLimitedError" &&
      Effect.map(deadline.left, Duration.greaterThan(error.retryAfter ?? Duration.zero))
  })
  const recordId = yield* deadline
    .limit(Effect.map(Ref.get(maybeSent), (maybeSent) => (maybeSent ? { request } : {})))(accepted)
    .pipe(
      Effect.catchTag("GenerationTimeoutError", (timeout) =>
        Effect.flatMap(Ref.get(refusal), (refused) => Effect.fail((timeout.request ? undefined : refused) ?? timeout))
      )
    )
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
  const limit = api.limitSubmissions ?? identity
  const { deadline, recordId } = yield* limit(submit(api, request, timeout))
  yield* annotateRecordId(recordId)
  yield* remember(api, recordId, { request, recorder: yield* recordDurations({ ...request, apiUrl: api.apiUrl }) })
  return { recordId, request, deadline }
}, countedStart)
