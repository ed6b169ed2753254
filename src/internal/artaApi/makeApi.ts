import * as UrlParams from "@effect/platform/UrlParams"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Operation, RateLimitedError, TransportError, UnauthorizedError as Unauthorized } from "../../ArtaError.js"
import { ResponseError, SubmissionUnknownError, UnauthorizedError } from "../../ArtaError.js"
import { Auth } from "../../Auth.js"
import type { TokenError } from "../../Auth.js"
import type { GenerateRequest } from "../../GenerateRequest.js"
import type { GenerationStatus, RecordId } from "../../Generation.js"
import type { ApiOptions } from "../config.js"
import { bodyReason, detail, unreadable, withReason } from "../explanation.js"
import { exchange, isPermanent, isRateLimit, rateLimited, retryAfter } from "../http.js"
import { MaybeSent } from "../maybeSent.js"
import { withRequestSpan } from "../requestSpan.js"
import { retryLazily, retryThrice } from "../retry.js"
import type { Secrets } from "../serviceText.js"
import { serviceUrl } from "../serviceUrl.js"
import type { BufferedResponse } from "../transport.js"
import { isRefusal, Transport } from "../transport.js"
import { makeRateLimiter } from "./rateLimiter.js"
import { makeSubmitLimiter } from "./submitLimiter.js"
import { makeTurns } from "./turns.js"
import * as WireFormat from "./wireFormat.js"

type RequestError = TokenError | Unauthorized

const isOk = ({ status }: BufferedResponse): boolean => status >= 200 && status < 300

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
  const inTurn = yield* makeTurns(1)
  const given = yield* serviceUrl("apiUrl", options.apiUrl ?? "https://img-gen-prod.ai-arta.com/api/v1")
  const apiUrl = given.replace(/\/+$/, "")
  const url = `${apiUrl}/text2image`

  const lastAccepted = MutableRef.make<Redacted.Redacted | undefined>(undefined)

  // A response is read where it arrives: each function that it passes through takes time.
  type Read<A> = (response: BufferedResponse) => Effect.Effect<A, RequestError>

  const readAccepted = <A>(token: Redacted.Redacted, response: BufferedResponse, read: Read<A>) =>
    Equal.equals(token, lastAccepted.current) || response.status >= 400 || auth.accepted === undefined
      ? read(response)
      : Effect.flatMap(auth.accepted(token), () => {
          MutableRef.set(lastAccepted, token)
          return read(response)
        })

  /** Sends a request with a token. If the service refuses the token, sends it once more with a new one. */
  const authorized = <A>(
    operation: Operation,
    send: (token: Redacted.Redacted, secrets: Secrets) => Effect.Effect<BufferedResponse, TransportError>,
    read: Read<A>,
    token: Effect.Effect<Redacted.Redacted, TokenError> = auth.token
  ): Effect.Effect<A, RequestError> => {
    const sendAgain = (refused: Redacted.Redacted) =>
      Effect.flatMap(auth.renew(refused), (token) =>
        Effect.flatMap(send(token, [token, refused]), (response) =>
          response.status === 401
            ? new UnauthorizedError({ operation, reason: bodyReason(response) || undefined })
            : readAccepted(token, response, read)
        )
      )
    return Effect.flatMap(token, (token) =>
      Effect.flatMap(send(token, [token]), (response) =>
        response.status === 401 ? sendAgain(token) : readAccepted(token, response, read)
      )
    )
  }

  /** Sends a request as soon as the service's rate limit allows it, and learns from the response. */
  const limited = <A>(
    operation: "submit" | "status",
    request: (read: Read<A>) => Effect.Effect<A, RequestError>,
    read: Read<A>
  ): Effect.Effect<A, RequestError> =>
    rateLimiter.withPermit(operation, (permit) =>
      request((response) => {
        if (!isRateLimit(response)) {
          rateLimiter.unsafeAccepted(permit)
          return read(response)
        }
        const learn = (retryAfter: Duration.Duration | undefined) => rateLimiter.refused(permit, retryAfter)
        return Effect.zipRight(Effect.flatMap(retryAfter(response.header), learn), read(response))
      })
    )

  const failWithResponse = (
    operation: Operation,
    response: BufferedResponse
  ): Effect.Effect<never, RateLimitedError | ResponseError> =>
    isRateLimit(response)
      ? rateLimited(operation, response, bodyReason(response))
      : Effect.fail(new ResponseError({ operation, status: response.status, detail: detail(response) }))

  /** Sends a submission, and keeps track of whether it may have left. */
  const send =
    (body: string, maybeSent: MutableRef.MutableRef<boolean>) => (token: Redacted.Redacted, secrets: Secrets) =>
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
          maxMebibytes: 1,
          onSend: () => {
            MutableRef.set(maybeSent, true)
          }
        },
        secrets
      ).pipe(
        Effect.mapBoth({
          onFailure: (error) => {
            MutableRef.set(maybeSent, error.sent)
            return error
          },
          onSuccess: (response) => {
            MutableRef.set(maybeSent, response.status !== 401 && !isRateLimit(response))
            return response
          }
        })
      )

  const readSubmitted =
    (submissionUnknown: (reason: string) => SubmissionUnknownError) =>
    (response: BufferedResponse): Effect.Effect<RecordId, RequestError | SubmissionUnknownError> => {
      if (isRefusal(response.status) || isRateLimit(response)) return failWithResponse("submit", response)
      // The service may have accepted the submission before it failed or redirected.
      if (!isOk(response)) {
        return submissionUnknown(withReason(`HTTP ${String(response.status)}`, bodyReason(response)))
      }
      const accepted = WireFormat.readSubmitted(response)
      if (Either.isLeft(accepted)) return submissionUnknown(accepted.left)
      return accepted.right === undefined ? failWithResponse("submit", response) : Effect.succeed(accepted.right)
    }

  const submit = (request: GenerateRequest): Effect.Effect<RecordId, RequestError | SubmissionUnknownError> => {
    const submissionUnknown = (reason: string) => new SubmissionUnknownError({ request, reason })
    const submission = Effect.flatMap(MaybeSent, (maybeSent) => {
      MutableRef.set(maybeSent, false)
      const body = UrlParams.toString(UrlParams.fromInput(WireFormat.form(request)))
      return inTurn(({ end, wait }) =>
        retryLazily({
          schedule: retryThrice,
          while: (error: RequestError) => isSubmitFailure(error) && !error.sent && !isPermanent(error)
        })(
          limited<BufferedResponse>(
            "submit",
            (read) =>
              authorized("submit", send(body, maybeSent), read, Effect.zipLeft(auth.token, Effect.zipRight(wait, end))),
            Effect.succeed
          )
        )
      )
    })
    const recordId = Effect.matchEffect(submission, {
      onFailure: (error): Effect.Effect<never, RequestError | SubmissionUnknownError> =>
        isSubmitFailure(error) && error.sent ? submissionUnknown(error.reason) : Effect.fail(error),
      onSuccess: readSubmitted(submissionUnknown)
    })
    const { model, n } = request
    return withRequestSpan(recordId, "ArtaApi.submit", { model, n }, (recordId) => ({ recordId }))
  }

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
        ? Option.match(WireFormat.readStatus(response, url), {
            onNone: () =>
              new ResponseError({ operation: "status", status: response.status, detail: unreadable(response) }),
            onSome: Effect.succeed
          })
        : failWithResponse("status", response)
    return withRequestSpan(
      limited("status", (read) => authorized("status", send, read), read),
      "ArtaApi.status",
      { recordId: id },
      ({ _tag }) => ({ status: _tag })
    )
  }

  return { submit, status, limitSubmissions: yield* makeSubmitLimiter, apiUrl }
})
