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
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InvalidRequestError, SubmissionUnknownError, UnauthorizedError } from "./ArtaError.js"
import type { Auth, TokenError } from "./Auth.js"
import type { GenerateRequest } from "./GenerateRequest.js"
import type { GenerationStatus, RecordId } from "./Generation.js"
import { makeApi } from "./internal/artaApi/makeApi.js"
import type { Overrides } from "./internal/config.js"
import { apiVariables, toConfigError } from "./internal/config.js"
import { layerHttpTransport } from "./internal/httpTransport.js"

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
   * reached the service fails with `SubmissionUnknownError`. If the service limits the rate of requests, waits for its
   * turn. Sends nothing while a `Retry-After` lasts: fails with `RateLimitedError`.
   */
  readonly submit: (request: GenerateRequest) => Effect.Effect<RecordId, SubmitError>
  /** Gets the current status of a generation. If the service limits the rate of requests, waits for its turn. */
  readonly status: (id: RecordId) => Effect.Effect<GenerationStatus, StatusError>
  /**
   * Runs a submission once there is room for it: `ArtaApi.make` allows 32 at once, first come, first served. Default:
   * no limit.
   */
  readonly limitSubmissions?: (<A, E, R>(submission: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) | undefined
  /** The base URL of the service. `Polling.adaptive` learns separately for each URL. Default: unknown. */
  readonly apiUrl?: string | undefined
}

/**
 * @since 0.1.0
 * @category tags
 */
export class ArtaApi extends Context.Tag("effect-arta/ArtaApi")<ArtaApi, Service>() {}

export {
  /**
   * Whether the running submission may have left this machine. A program that provides it to a submission knows after
   * an interruption whether the service may have accepted the generation. The library's `ArtaApi` sets it; set it to
   * `true` before, so that a submission of another `ArtaApi` counts as sent.
   *
   * @since 0.1.0
   * @category references
   */
  MaybeSent
} from "./internal/maybeSent.js"

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

/**
 * Makes the service on the program's `HttpClient`. Fails with `InvalidRequestError` if `apiUrl` cannot be the URL of a
 * service.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<Service, InvalidRequestError, Auth | HttpClient.HttpClient> =>
  Effect.provide(makeApi(options), layerHttpTransport())

/**
 * Provides `ArtaApi` as `make` does.
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
  Config.all(apiVariables(config)).pipe(Effect.map(layer), Layer.unwrapEffect, Layer.mapError(toConfigError(config)))
