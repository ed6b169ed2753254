/**
 * Submits generations to the image service and gets their status, one HTTP request each.
 *
 * To get images, use `Arta`. Use this service to build something else on the same two calls, or replace it in tests.
 *
 * @example
 * ```ts
 * import { ArtaApi, GenerateRequest } from "effect-arta"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   const api = yield* ArtaApi.ArtaApi
 *   const recordId = yield* api.submit(new GenerateRequest.GenerateRequest({ prompt: "a lighthouse" }))
 *   return yield* api.status(recordId)
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type { InvalidRequestError, Operation, TransportError } from "./ArtaError.js"
import { RateLimitedError, ResponseError, SubmissionUnknownError, UnauthorizedError } from "./ArtaError.js"
import type { TokenError } from "./Auth.js"
import { Auth } from "./Auth.js"
import type { GenerateRequest } from "./GenerateRequest.js"
import type { GenerationStatus, RecordId } from "./Generation.js"
import type { Overrides } from "./internal/config.js"
import { optional, toConfigError } from "./internal/config.js"
import type { BufferedResponse } from "./internal/http.js"
import { exchange, isRedirect, rateLimited, untraced } from "./internal/http.js"
import { isPermanent } from "./internal/diagnosis.js"
import { detail, unreadable, withReason } from "./internal/explanation.js"
import type { Secrets } from "./internal/serviceText.js"
import { makeCooldown } from "./internal/cooldown.js"
import { makeSubmitLimiter } from "./internal/artaApi/submitLimiter.js"
import { makeTurns } from "./internal/artaApi/turns.js"
import * as WireFormat from "./internal/artaApi/wireFormat.js"
import { MaybeSent } from "./internal/maybeSent.js"
import { annotateAttempt, retryThrice } from "./internal/retry.js"
import { serviceUrl } from "./internal/serviceUrl.js"

/**
 * The errors of `status`.
 *
 * @since 0.1.0
 * @category models
 */
export type StatusError = TokenError | UnauthorizedError

/**
 * The errors of `submit`.
 *
 * @since 0.1.0
 * @category models
 */
export type SubmitError = StatusError | SubmissionUnknownError

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Submits a generation and returns its id, in the order of the calls. Sends no submission twice: one that may have
   * reached the service fails with `SubmissionUnknownError`. Sends nothing while a rate limit lasts: fails with
   * `RateLimitedError`.
   */
  readonly submit: (request: GenerateRequest) => Effect.Effect<RecordId, SubmitError>
  /** Gets the current status of a generation. While a rate limit lasts, waits for its end. */
  readonly status: (id: RecordId) => Effect.Effect<GenerationStatus, StatusError>
  /**
   * Runs a submission once there is room for it: `ArtaApi.make` allows 32 at once, first come, first served. Default:
   * no limit.
   */
  readonly limitSubmissions?: (<A, E, R>(submission: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) | undefined
}

/**
 * @since 0.1.0
 * @category tags
 */
export class ArtaApi extends Context.Tag("effect-arta/ArtaApi")<ArtaApi, Service>() {}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * The base URL of the image service, an http or https URL without a user, a query or a fragment. Default:
   * `https://img-gen-prod.ai-arta.com/api/v1`.
   */
  readonly apiUrl?: string | undefined
}

const isOk = ({ status }: BufferedResponse): boolean => status >= 200 && status < 300

const isRateLimit = ({ status, headers }: BufferedResponse): boolean =>
  status === 429 || (status === 503 && headers["retry-after"] !== undefined)

const isSubmitFailure = (error: StatusError): error is TransportError =>
  error._tag === "TransportError" && error.operation === "submit"

const submitTimeout: Duration.DurationInput = "1 minute"
const statusTimeout: Duration.DurationInput = "15 seconds"

/**
 * Fails with `InvalidRequestError` if `apiUrl` cannot be the URL of a service.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Service, InvalidRequestError, Auth | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const auth = yield* Auth
    const client = untraced(yield* HttpClient.HttpClient)
    const cooldown = yield* makeCooldown<undefined>()
    const inTurn = yield* makeTurns
    const apiUrl = yield* serviceUrl("apiUrl", options.apiUrl ?? "https://img-gen-prod.ai-arta.com/api/v1")
    const url = `${apiUrl.replace(/\/+$/, "")}/text2image`

    /** Sends a request with a token. If the service refuses the token, sends it once more with a new one. */
    const authorized = Effect.fnUntraced(function* (
      operation: Operation,
      timeout: Duration.DurationInput,
      request: HttpClientRequest.HttpClientRequest,
      beforeSend: Effect.Effect<void> = Effect.void
    ) {
      const maybeSent = yield* MaybeSent
      const send = (token: Redacted.Redacted, ...earlier: Secrets) =>
        exchange(
          client,
          { operation, timeout, secrets: [token, ...earlier] },
          HttpClientRequest.setHeader(request, "authorization", Redacted.value(token))
        ).pipe(
          Effect.tapBoth({
            onFailure: ({ sent }) => Ref.set(maybeSent, sent),
            onSuccess: ({ status }) => Ref.set(maybeSent, status !== 401)
          }),
          (exchanging) => Effect.zipRight(Ref.set(maybeSent, true), exchanging),
          Effect.tap(({ status }) => (status < 400 ? auth.accepted?.(token) : undefined))
        )
      yield* Ref.set(maybeSent, false)
      const token = yield* auth.token
      yield* beforeSend
      const response = yield* send(token)
      if (response.status !== 401) return response
      const refreshed = yield* auth.renew(token)
      const second = yield* send(refreshed, token)
      if (second.status === 401) return yield* new UnauthorizedError({ operation })
      return second
    })

    const failWithResponse = (operation: Operation, response: BufferedResponse) =>
      isRateLimit(response)
        ? Effect.tapError(rateLimited(operation, response), ({ retryAfter }) =>
            cooldown.start(undefined, retryAfter ?? 0)
          )
        : Effect.fail(new ResponseError({ operation, status: response.status, detail: detail(response) }))

    // A poll waits for the end of a cooldown: its generation exists already. A submission fails at once, so that its
    // caller may decide whether to wait.
    const failDuringCooldown = Effect.flatMap(cooldown.current, (pause) =>
      pause === undefined ? Effect.void : new RateLimitedError({ operation: "submit", retryAfter: pause.left })
    )

    // The pause may be extended while this waits.
    const awaitCooldown: Effect.Effect<void> = Effect.flatMap(cooldown.current, (pause) =>
      pause === undefined ? Effect.void : Effect.zipRight(Effect.sleep(pause.left), awaitCooldown)
    )

    const submit = Effect.fn("ArtaApi.submit")(function* (request: GenerateRequest) {
      yield* annotateAttempt
      yield* Effect.annotateCurrentSpan({ model: request.model, n: request.n })
      const submissionUnknown = (reason: string) => new SubmissionUnknownError({ request, reason })
      const form = HttpClientRequest.bodyUrlParams(HttpClientRequest.post(url), WireFormat.form(request))

      const response = yield* inTurn(({ end, wait }) =>
        Effect.zipRight(failDuringCooldown, authorized("submit", submitTimeout, form, Effect.zipRight(wait, end))).pipe(
          Effect.retry({
            schedule: retryThrice,
            while: (error) => isSubmitFailure(error) && !error.sent && !isPermanent(error)
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
      yield* Effect.annotateCurrentSpan({ recordId: accepted })
      return accepted
    })

    const status = Effect.fn("ArtaApi.status")(function* (id: RecordId) {
      yield* annotateAttempt
      yield* Effect.annotateCurrentSpan({ recordId: id })
      const request = HttpClientRequest.get(`${url}/${encodeURIComponent(id)}/status`)
      const response = yield* Effect.zipRight(awaitCooldown, authorized("status", statusTimeout, request))
      if (!isOk(response)) return yield* failWithResponse("status", response)
      const found = yield* Effect.mapError(
        WireFormat.readStatus(response, url),
        () => new ResponseError({ operation: "status", status: response.status, detail: unreadable(response) })
      )
      yield* Effect.annotateCurrentSpan({ status: found._tag })
      return found
    })

    return ArtaApi.of({ submit, status, limitSubmissions: yield* makeSubmitLimiter })
  })

/**
 * Fails with `InvalidRequestError` if `apiUrl` cannot be the URL of a service.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<ArtaApi, InvalidRequestError, Auth | HttpClient.HttpClient> =>
  Layer.effect(ArtaApi, make(options))

/**
 * Reads the options from `Config`. Default: `ARTA_API_URL`. Fails with a `ConfigError` that names the variable if it
 * cannot be the URL of a service.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Overrides<Options> = {}
): Layer.Layer<ArtaApi, ConfigError, Auth | HttpClient.HttpClient> =>
  Config.all({ apiUrl: config.apiUrl ?? optional("ARTA_API_URL") }).pipe(
    Effect.map(layer),
    Layer.unwrapEffect,
    Layer.mapError(toConfigError(config))
  )
