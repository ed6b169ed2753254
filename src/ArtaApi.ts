/**
 * The image service over HTTP: submit a generation, ask how it stands.
 *
 * Programs that only want images use `Arta`. This service is for building something else on the same two calls, and
 * for tests that put another implementation in its place.
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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Operation, TransportError } from "./ArtaError.js"
import { RateLimitedError, ResponseError, SubmissionUnknownError, UnauthorizedError } from "./ArtaError.js"
import type { TokenError } from "./Auth.js"
import { Auth } from "./Auth.js"
import type { GenerateRequest } from "./GenerateRequest.js"
import type { GenerationStatus, RecordId } from "./Generation.js"
import type { Overrides } from "./internal/config.js"
import { optional } from "./internal/config.js"
import type { Answer } from "./internal/http.js"
import { exchange, rateLimited, untraced } from "./internal/http.js"
import { makeCooldown } from "./internal/artaApi/cooldown.js"
import { retryThrice, retryLazily } from "./internal/retry.js"
import * as WireFormat from "./internal/artaApi/wireFormat.js"

/**
 * What asking for a generation's status may fail with.
 *
 * @since 0.1.0
 * @category models
 */
export type StatusError = TokenError | UnauthorizedError

/**
 * What submitting a generation may fail with.
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
   * Asks for a generation and returns its id. A submission that may have reached the service is never sent again: it
   * fails with `SubmissionUnknownError`. As long as the service wants to be left alone nothing is sent: it fails with
   * `RateLimitedError`.
   */
  readonly submit: (request: GenerateRequest) => Effect.Effect<RecordId, SubmitError>
  /** Asks once how a generation stands. */
  readonly status: (id: RecordId) => Effect.Effect<GenerationStatus, StatusError>
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
  /** Where the image service is. Default: `https://img-gen-prod.ai-arta.com/api/v1`. */
  readonly apiUrl?: string | undefined
}

const isLostSubmit = (error: StatusError): error is TransportError =>
  error._tag === "TransportError" && error.operation === "submit"

const isRateLimit = ({ status, headers }: Answer): boolean =>
  status === 429 || (status === 503 && headers["retry-after"] !== undefined)

const submitTimeout: Duration.DurationInput = "1 minute"
const statusTimeout: Duration.DurationInput = "15 seconds"

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, never, Auth | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const auth = yield* Auth
    const client = untraced(yield* HttpClient.HttpClient)
    const url = `${(options.apiUrl ?? "https://img-gen-prod.ai-arta.com/api/v1").replace(/\/+$/, "")}/text2image`

    const cooldown = yield* makeCooldown

    const failDuringCooldown = Effect.flatMap(cooldown.left, (retryAfter) =>
      Duration.greaterThan(retryAfter, Duration.zero)
        ? new RateLimitedError({ operation: "submit", retryAfter })
        : Effect.void
    )

    interface Exchanged {
      readonly answer: Answer
      readonly token: Redacted.Redacted
      /** All tokens that the service was sent, and may repeat. */
      readonly secrets: ReadonlyArray<Redacted.Redacted>
    }

    const authorized = (
      operation: Operation,
      timeout: Duration.DurationInput,
      request: HttpClientRequest.HttpClientRequest
    ): Effect.Effect<Exchanged, StatusError> => {
      const withToken = (token: Redacted.Redacted) =>
        exchange(
          client,
          operation,
          timeout,
          HttpClientRequest.setHeader(request, "authorization", Redacted.value(token))
        ).pipe(Effect.map((answer): Exchanged => ({ answer, token, secrets: [token] })))

      return Effect.gen(function* () {
        const attempt = Effect.flatMap(auth.token, withToken)
        // A poll has a generation to wait for. A submission has none yet, and who asks for it may not want to wait so long.
        const first = yield* operation === "submit"
          ? Effect.zipRight(failDuringCooldown, attempt)
          : cooldown.awaitEnd(attempt)
        if (first.answer.status !== 401) return first
        const second = yield* Effect.flatMap(auth.renew(first.token), withToken)
        if (second.answer.status === 401) return yield* new UnauthorizedError({ operation })
        return { ...second, secrets: [first.token, second.token] }
      })
    }

    const refuse = (operation: Operation, { answer, secrets }: Exchanged) =>
      isRateLimit(answer)
        ? Effect.tapError(rateLimited(operation, answer), ({ retryAfter }) => cooldown.extend(retryAfter))
        : Effect.fail(
            new ResponseError({ operation, status: answer.status, detail: WireFormat.detail(answer, secrets) })
          )

    const isOk = ({ answer }: Exchanged) => answer.status >= 200 && answer.status < 300

    const submit = Effect.fn("ArtaApi.submit")(function* (request: GenerateRequest) {
      yield* Effect.annotateCurrentSpan({ model: request.model, n: request.n })
      const unknown = (reason: string) => new SubmissionUnknownError({ request, reason })
      const form = HttpClientRequest.bodyUrlParams(HttpClientRequest.post(url), WireFormat.form(request))

      const submitted = yield* authorized("submit", submitTimeout, form).pipe(
        (attempt) =>
          retryLazily(attempt, {
            schedule: retryThrice,
            while: (error) => isLostSubmit(error) && !error.sent
          }),
        Effect.mapError((error) => (isLostSubmit(error) && error.sent ? unknown(error.reason) : error))
      )
      if (isOk(submitted)) {
        const accepted = WireFormat.readSubmitted(submitted.answer)
        if (Option.isNone(accepted)) return yield* unknown("an unreadable answer")
        if (accepted.value === undefined) return yield* refuse("submit", submitted)
        yield* Effect.annotateCurrentSpan({ recordId: accepted.value })
        return accepted.value
      }
      if (submitted.answer.status < 500 || isRateLimit(submitted.answer)) return yield* refuse("submit", submitted)
      return yield* unknown(`the service answered ${String(submitted.answer.status)}`)
    })

    const status = Effect.fn("ArtaApi.status")(function* (id: RecordId) {
      yield* Effect.annotateCurrentSpan({ recordId: id })
      const request = HttpClientRequest.get(`${url}/${encodeURIComponent(id)}/status`)
      const exchanged = yield* authorized("status", statusTimeout, request)
      if (!isOk(exchanged)) return yield* refuse("status", exchanged)
      const found = yield* Effect.mapError(
        WireFormat.readStatus(exchanged.answer, { isSecure: url.startsWith("https:"), secrets: exchanged.secrets }),
        () =>
          new ResponseError({ operation: "status", status: exchanged.answer.status, detail: "an unreadable answer" })
      )
      yield* Effect.annotateCurrentSpan({ status: found._tag })
      return found
    })

    return ArtaApi.of({ submit, status })
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<ArtaApi, never, Auth | HttpClient.HttpClient> =>
  Layer.effect(ArtaApi, make(options))

/**
 * The same from `Config`. What is not given is read from `ARTA_API_URL`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Overrides<Options> = {}
): Layer.Layer<ArtaApi, ConfigError, Auth | HttpClient.HttpClient> =>
  Config.all({ apiUrl: config.apiUrl ?? optional("ARTA_API_URL") }).pipe(Effect.map(layer), Layer.unwrapEffect)
