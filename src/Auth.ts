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
import * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type {
  AuthError,
  AuthReason,
  InvalidRequestError,
  ResponseError,
  TokenStoreError,
  TransportError
} from "./ArtaError.js"
import { RateLimitedError } from "./ArtaError.js"
import type { Credentials } from "./Credentials.js"
import { isFresh, isValid } from "./Credentials.js"
import type { Overrides } from "./internal/config.js"
import { optional, toConfigError } from "./internal/config.js"
import { isPermanent } from "./internal/diagnosis.js"
import { decideToken } from "./internal/identity/decideToken.js"
import * as Identity from "./internal/identity/identityToolkit.js"
import { isLockLost, makeSession } from "./internal/identity/session.js"
import { makeSignUpLimit } from "./internal/identity/signUpLimit.js"
import { serviceUrl } from "./internal/serviceUrl.js"
import { makeSingleFlight } from "./internal/identity/singleFlight.js"
import { retryThrice } from "./internal/retry.js"
import { TokenStore } from "./TokenStore.js"

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
  /** Reports that the API accepted a token. Lifts the cooldown between sign-ups. Default: nothing is reported. */
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

const sessionGone: ReadonlySet<AuthReason> = new Set<AuthReason>([
  "INVALID_REFRESH_TOKEN",
  "TOKEN_EXPIRED",
  "USER_NOT_FOUND",
  "MISSING_REFRESH_TOKEN"
])

const backoffAfter = (error: TokenError): Duration.Duration =>
  error._tag === "RateLimitedError"
    ? (error.retryAfter ?? Duration.seconds(5))
    : Duration.seconds(error._tag === "AuthError" ? Infinity : 30)

const redacted = (secret: Redacted.Redacted | string): Redacted.Redacted =>
  Redacted.make((Redacted.isRedacted(secret) ? Redacted.value(secret) : secret).trim())

/**
 * Fails with `InvalidRequestError` if `signUpUrl` or `tokenUrl` cannot be the URL of a service.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Service, InvalidRequestError, TokenStore | HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* TokenStore
    const identityService = Identity.make(yield* HttpClient.HttpClient, {
      apiKey: redacted(options.apiKey),
      signUpUrl: yield* serviceUrl(
        "signUpUrl",
        options.signUpUrl ?? "https://www.googleapis.com/identitytoolkit/v3/relyingparty/signupNewUser"
      ),
      tokenUrl: yield* serviceUrl("tokenUrl", options.tokenUrl ?? "https://securetoken.googleapis.com/v1/token")
    })
    const session = yield* makeSession(store)
    const signUps = yield* makeSignUpLimit
    const refreshes = yield* makeSingleFlight<Credentials, TokenError>(backoffAfter)

    // The server may rotate the refresh token before its response is read, so losing the response loses the session.
    // `uninterruptible` alone does not protect the fibers that a timeout forks; a daemon is safe.
    const requestAndSave = (request: Effect.Effect<Credentials, Identity.IdentityError>, loaded?: Credentials) =>
      Effect.flatMap(request, (credentials) => session.save(credentials, loaded)).pipe(
        Effect.forkDaemon,
        Effect.flatMap(Fiber.join),
        Effect.uninterruptible,
        Effect.retry({
          schedule: retryThrice,
          while: (error) => error._tag === "TransportError" && !isPermanent(error)
        })
      )

    // Looks into the store again before each request: another process may have saved a session meanwhile.
    const decide = (
      refused?: Redacted.Redacted,
      gone: ReadonlyArray<Credentials> = []
    ): Effect.Effect<Credentials, TokenError> =>
      Effect.gen(function* () {
        const loaded = yield* session.load
        const decision = decideToken({ ...loaded, refused, gone, now: yield* Clock.currentTimeMillis })
        if ("use" in decision) return yield* session.use(decision.use)
        if ("signUp" in decision)
          return yield* signUps.limit(gone)(requestAndSave(identityService.signUp, loaded.stored))
        return yield* requestAndSave(identityService.refresh(decision.refresh), loaded.stored).pipe(
          Effect.catchIf(
            (error) => error._tag === "AuthError" && sessionGone.has(error.reason),
            () => decide(refused, [...gone, decision.refresh])
          )
        )
      })

    // Starts over if another process took over the lock or replaced the session: then its session decides.
    const obtain = (refused?: Redacted.Redacted) =>
      Effect.either(decide(refused)).pipe(
        store.exclusively,
        Effect.repeat({ times: 3, while: (result) => Either.isLeft(result) && isLockLost(result.left) }),
        Effect.flatten
      )

    const refreshInBackground = refreshes.runInBackground(obtain())

    // Honor Retry-After: fail fast until it expires, however many callers there are.
    const failDuringRateLimit = Effect.flatMap(refreshes.backoff, (backoff) =>
      backoff?.reason._tag === "RateLimitedError"
        ? new RateLimitedError({ operation: backoff.reason.operation, retryAfter: backoff.left })
        : Effect.void
    )

    const isRefused = ({ idToken }: Credentials, refused?: Redacted.Redacted) => Equal.equals(idToken, refused)

    const refreshed = (refused?: Redacted.Redacted) => {
      const refresh = refreshes.run(obtain(refused))
      // A refresh that was in flight before may return the very token that was refused.
      return Effect.flatMap(Effect.zipRight(failDuringRateLimit, refresh), (credentials) =>
        isRefused(credentials, refused) ? refresh : Effect.succeed(credentials)
      )
    }

    const validToken = (refused?: Redacted.Redacted) =>
      Effect.gen(function* () {
        yield* signUps.failIfSuspended
        const held = yield* session.held
        const isUsable =
          held !== undefined && !isRefused(held, refused) && isValid(held, yield* Clock.currentTimeMillis)
        const credentials = isUsable ? held : yield* refreshed(refused)
        if (!isFresh(credentials, yield* Clock.currentTimeMillis)) yield* refreshInBackground
        return credentials.idToken
      })

    return Auth.of({
      token: validToken(),

      renew: Effect.fn("Auth.renew")(validToken),

      signOut: session.clear.pipe(store.exclusively, Effect.withSpan("Auth.signOut")),

      accepted: (token) =>
        Effect.whenEffect(
          signUps.reset,
          Effect.map(session.held, (held) => Equal.equals(held?.idToken, token))
        )
    })
  })

/**
 * Fails with `InvalidRequestError` if `signUpUrl` or `tokenUrl` cannot be the URL of a service.
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
  Config.all({
    apiKey: config.apiKey ?? Config.redacted(Config.nonEmptyString("ARTA_API_KEY")),
    signUpUrl: config.signUpUrl ?? optional("ARTA_SIGN_UP_URL"),
    tokenUrl: config.tokenUrl ?? optional("ARTA_TOKEN_URL")
  }).pipe(Effect.map(layer), Layer.unwrapEffect, Layer.mapError(toConfigError(config)))

/**
 * Provides a fixed token that is never refreshed, for tests and for programs that have a token already.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerToken = (token: Redacted.Redacted | string): Layer.Layer<Auth> => {
  const fixed = Effect.succeed(redacted(token))
  return Layer.succeed(Auth, { token: fixed, renew: () => fixed, signOut: Effect.void })
}
