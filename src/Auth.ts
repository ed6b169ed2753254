/**
 * Provides a valid token: signs up once, keeps the session, and refreshes the token before it expires.
 *
 * During the first half of a token's life, `token` does no I/O. During the second half, it returns the token and
 * refreshes it in the background. If the token has expired, all callers wait for one shared refresh.
 *
 * @example
 * ```ts
 * import { Auth, TokenStore } from "effect-arta"
 * import { FetchHttpClient } from "@effect/platform"
 * import { Config, Effect, Layer } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const auth = yield* Auth.Auth
 *   return yield* auth.token
 * })
 *
 * export const runnable = program.pipe(
 *   Effect.provide(Auth.layerConfig({ apiKey: Config.redacted("GALLERY_API_KEY") })),
 *   Effect.provide(Layer.merge(TokenStore.layerMemory, FetchHttpClient.layer))
 * )
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
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { AuthError, InvalidRequestError, RateLimitedError, ResponseError, TokenStoreError } from "./ArtaError.js"
import { TransportError } from "./ArtaError.js"
import { Credentials } from "./Credentials.js"
import type { Overrides } from "./internal/config.js"
import { authVariables, toConfigError } from "./internal/config.js"
import { layerHttpTransport } from "./internal/httpTransport.js"
import { makeAuth, redacted } from "./internal/identity/makeAuth.js"
import type { TokenStore } from "./TokenStore.js"

/**
 * The errors of `token` and `renew`.
 *
 * @since 0.1.0
 * @category models
 */
export type TokenError = AuthError | TokenStoreError | TransportError | ResponseError | RateLimitedError

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Returns a token that is valid now. Does no I/O while the token is fresh. */
  readonly token: Effect.Effect<Redacted.Redacted, TokenError>
  /** Replaces a token that the API refused. All callers with the same refused token share one refresh. */
  readonly renew: (refused: Redacted.Redacted) => Effect.Effect<Redacted.Redacted, TokenError>
  /** Removes the session from memory and from the store. The next token belongs to a new account. */
  readonly signOut: Effect.Effect<void, TokenStoreError>
  /**
   * Reports that the API accepted a token for the first time. Lifts the cooldown between sign-ups. Default: nothing is
   * reported.
   */
  readonly accepted?: ((token: Redacted.Redacted) => Effect.Effect<void>) | undefined
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Auth extends Context.Tag("effect-arta/Auth")<Auth, Service>() {}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The key of a project that you may use. The library ships none. */
  readonly apiKey: Redacted.Redacted | string
  /** The sign-up endpoint. Default: Google Identity Toolkit's `signupNewUser`. */
  readonly signUpUrl?: string | undefined
  /** The refresh endpoint. Default: Google Secure Token's `token`. */
  readonly tokenUrl?: string | undefined
}

/**
 * Makes the service on the program's `HttpClient` and `TokenStore`. Fails with `InvalidRequestError` if `signUpUrl` or
 * `tokenUrl` cannot be the URL of a service.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Service, InvalidRequestError, TokenStore | HttpClient.HttpClient | Scope.Scope> =>
  Effect.provide(makeAuth(options), layerHttpTransport())

/**
 * Provides `Auth` as `make` does.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Auth, InvalidRequestError, TokenStore | HttpClient.HttpClient> =>
  Layer.scoped(Auth, make(options))

/**
 * Reads the options from `Config`. Defaults: `ARTA_API_KEY`, `ARTA_SIGN_UP_URL` and `ARTA_TOKEN_URL`. Fails with a
 * `ConfigError` that names the variable if there is no API key, or if a URL cannot be that of a service.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Overrides<Options> = {}
): Layer.Layer<Auth, ConfigError, TokenStore | HttpClient.HttpClient> =>
  Config.all(authVariables(config)).pipe(Effect.map(layer), Layer.unwrapEffect, Layer.mapError(toConfigError(config)))

const isToken = Schema.is(Credentials.fields.idToken)

const unusableToken = new TransportError({
  operation: "refresh",
  reason: "a header cannot hold the token: check the token of Auth.layerToken",
  sent: false
})

/**
 * Provides a fixed token that is never refreshed, for tests and for programs that have a token already. `token` and
 * `renew` fail with `TransportError` if it has a space, or a character that is not printable ASCII.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerToken = (token: Redacted.Redacted | string): Layer.Layer<Auth> => {
  const fixed = Effect.liftPredicate(redacted(token), isToken, () => unusableToken)
  return Layer.succeed(Auth, { token: fixed, renew: () => fixed, signOut: Effect.void })
}
