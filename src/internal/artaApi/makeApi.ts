import * as UrlParams from "@effect/platform/UrlParams"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type { Operation, RateLimitedError, TransportError, UnauthorizedError as Unauthorized } from "../../ArtaError.js"
import { ResponseError, SubmissionUnknownError, UnauthorizedError } from "../../ArtaError.js"
import { Auth } from "../../Auth.js"
import type { TokenError } from "../../Auth.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationStatus, RecordId } from "../../Generation.js"
import type { ApiOptions } from "../config.js"
import { isPermanent } from "../diagnosis.js"
import { detail, unreadable, withReason } from "../explanation.js"
import type { BufferedResponse } from "../http.js"
import { exchange, isRedirect, rateLimited, retryAfter } from "../http.js"
import { MaybeSent } from "../maybeSent.js"
import { withRequestSpan } from "../requestSpan.js"
import { retryLazily, retryThrice } from "../retry.js"
import type { Secrets } from "../serviceText.js"
import { serviceUrl } from "../serviceUrl.js"
import { Transport } from "../transport.js"
import { makeRateLimiter } from "./rateLimiter.js"
import { makeSubmitLimiter } from "./submitLimiter.js"
import { makeTurns } from "./turns.js"
import * as WireFormat from "./wireFormat.js"

type RequestError = TokenError | Unauthorized

const isOk = ({ status }: BufferedResponse): boolean => status >= 200 && status < 300

const isRateLimit = ({ header, status }: BufferedResponse): boolean =>
  status === 429 || (status === 503 && header("retry-after") !== undefined)

const isSubmitFailure = (error: RequestError): error is TransportError =>
  error._tag === "TransportError" && error.operation === "submit"

const submitTimeout = Duration.minutes(1)
const statusTimeout = Duration.seconds(15)

// The status of an image of 64 MiB as a `data:` URL.
const maxStatusMebibytes = 88

/** `ArtaApi` over any transport. */
export const makeApi = Effect.fnUntraced(function* (options: ApiOptions) {
  const auth = yield* Auth
  const transport = yield* Transport
  const rateLimiter = yield* makeRateLimiter
  const inTurn = yield* makeTurns
  const given = yield* serviceUrl("apiUrl", options.apiUrl ?? "https://img-gen-prod.ai-arta.com/api/v1")
  const apiUrl = given.replace(/\/+$/, "")
  const url = `${apiUrl}/text2image`

  const reportAccepted = (token: Redacted.Redacted, response: BufferedResponse): Effect.Effect<BufferedResponse> =>
    response.status < 400 && auth.accepted !== undefined
      ? Effect.as(auth.accepted(token), response)
      : Effect.succeed(response)

  /** Sends a request with a token. If the service refuses the token, sends it once more with a new one. */
  const authorized = (
    operation: Operation,
    send: (token: Redacted.Redacted, secrets: Secrets) => Effect.Effect<BufferedResponse, TransportError>,
    token: Effect.Effect<Redacted.Redacted, TokenError> = auth.token
  ): Effect.Effect<BufferedResponse, RequestError> => {
    const sendAgain = (refused: Redacted.Redacted) =>
      Effect.flatMap(auth.renew(refused), (token) =>
        Effect.flatMap(send(token, [token, refused]), (response) =>
          response.status === 401 ? new UnauthorizedError({ operation }) : reportAccepted(token, response)
        )
      )
    return Effect.flatMap(token, (token) =>
      Effect.flatMap(send(token, [token]), (response) =>
        response.status === 401 ? sendAgain(token) : reportAccepted(token, response)
      )
    )
  }

  /** Sends a request as soon as the service's rate limit allows it, and learns from the response. */
  const limited = (
    operation: "submit" | "status",
    request: Effect.Effect<BufferedResponse, RequestError>
  ): Effect.Effect<BufferedResponse, RequestError> =>
    Effect.flatMap(rateLimiter.take(operation), (permit) =>
      Effect.flatMap(request, (response) => {
        const learning = isRateLimit(response)
          ? Effect.flatMap(retryAfter(response.header), (retryAfter) => rateLimiter.refused(permit, retryAfter))
          : rateLimiter.accepted(permit)
        return Effect.as(learning, response)
      })
    )

  const failWithResponse = (
    operation: Operation,
    response: BufferedResponse
  ): Effect.Effect<never, RateLimitedError | ResponseError> =>
    isRateLimit(response)
      ? rateLimited(operation, response)
      : Effect.fail(new ResponseError({ operation, status: response.status, detail: detail(response) }))

  /** Sends a submission, and keeps track of whether it may have left. */
  const send = (body: string, maybeSent: Ref.Ref<boolean>) => (token: Redacted.Redacted, secrets: Secrets) =>
    Effect.zipRight(
      Ref.set(maybeSent, true),
      exchange(
        transport,
        "submit",
        {
          method: "POST",
          url,
          headers: {
            authorization: Redacted.value(token),
            "content-type": "application/x-www-form-urlencoded"
          },
          body,
          timeout: submitTimeout,
          maxMebibytes: 1
        },
        secrets
      )
    ).pipe(
      Effect.tapBoth({
        onFailure: ({ sent }) => Ref.set(maybeSent, sent),
        onSuccess: (response) => Ref.set(maybeSent, response.status !== 401 && !isRateLimit(response))
      })
    )

  const submit = Effect.fnUntraced(
    function* (request: GenerateRequest) {
      const submissionUnknown = (reason: string) => new SubmissionUnknownError({ request, reason })
      const body = UrlParams.toString(UrlParams.fromInput(WireFormat.form(request)))
      const maybeSent = yield* MaybeSent

      const response = yield* inTurn(({ end, wait }) =>
        Ref.set(maybeSent, false).pipe(
          Effect.zipRight(
            limited(
              "submit",
              authorized("submit", send(body, maybeSent), Effect.zipLeft(auth.token, Effect.zipRight(wait, end)))
            )
          ),
          retryLazily({
            schedule: retryThrice,
            while: (error: RequestError) => isSubmitFailure(error) && !error.sent && !isPermanent(error)
          }),
          Effect.mapError((error) => (isSubmitFailure(error) && error.sent ? submissionUnknown(error.reason) : error))
        )
      )

      // The service may have accepted the submission before it failed or redirected.
      if (isRedirect(response.status) || (response.status >= 500 && !isRateLimit(response))) {
        return yield* submissionUnknown(withReason(`HTTP ${String(response.status)}`, response))
      }
      if (!isOk(response)) return yield* failWithResponse("submit", response)
      const accepted = yield* Either.mapLeft(WireFormat.readSubmitted(response), submissionUnknown)
      if (accepted === undefined) return yield* failWithResponse("submit", response)
      return accepted
    },
    (submission, { model, n }) =>
      withRequestSpan(submission, "ArtaApi.submit", { model, n }, (recordId) => ({ recordId }))
  )

  const status = (id: RecordId): Effect.Effect<GenerationStatus, RequestError> => {
    const send = (token: Redacted.Redacted, secrets: Secrets) =>
      exchange(
        transport,
        "status",
        {
          method: "GET",
          url: `${url}/${encodeURIComponent(id)}/status`,
          headers: { authorization: Redacted.value(token) },
          timeout: statusTimeout,
          maxMebibytes: maxStatusMebibytes
        },
        secrets
      )
    const read = (response: BufferedResponse): Effect.Effect<GenerationStatus, RequestError> =>
      isOk(response)
        ? Effect.mapError(
            WireFormat.readStatus(response, url),
            () => new ResponseError({ operation: "status", status: response.status, detail: unreadable(response) })
          )
        : failWithResponse("status", response)
    return withRequestSpan(
      Effect.flatMap(limited("status", authorized("status", send)), read),
      "ArtaApi.status",
      { recordId: id },
      ({ _tag }) => ({ status: _tag })
    )
  }

  return { submit, status, limitSubmissions: yield* makeSubmitLimiter, apiUrl }
})
