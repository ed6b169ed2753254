/**
 * A valid token, always: signs up once, keeps the session fresh, and hands the token out without waiting.
 *
 * While less than half of a token's life is gone, `token` does no I/O. Past that it is refreshed in the background while
 * it is still handed out. Only an expired token makes callers wait, all of them for the same refresh.
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
import * as Array from "effect/Array"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as SynchronizedRef from "effect/SynchronizedRef"
import type { AuthError, AuthReason, ResponseError, TokenStoreError, TransportError } from "./ArtaError.js"
import { RateLimitedError } from "./ArtaError.js"
import type { Credentials } from "./Credentials.js"
import { isFresh, isValid } from "./Credentials.js"
import type { Overrides } from "./internal/config.js"
import { optional } from "./internal/config.js"
import { monotonicMillis } from "./internal/clock.js"
import * as Identity from "./internal/identity/identityToolkit.js"
import { retryThrice, withAttemptSpan } from "./internal/retry.js"
import { TokenStore } from "./TokenStore.js"

/**
 * What getting a token may fail with.
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
  /** A token that is valid now. Does no I/O while the token is fresh. */
  readonly token: Effect.Effect<Redacted.Redacted, TokenError>
  /** Says that the API refused a token, and gets another. All who hold the refused one share one renewal. */
  readonly renew: (refused: Redacted.Redacted) => Effect.Effect<Redacted.Redacted, TokenError>
  /** Forgets the session, here and in the store. The next token comes from a new account. */
  readonly signOut: Effect.Effect<void, TokenStoreError>
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
  /** The key of a project whose API you may use. The library ships none. */
  readonly apiKey: Redacted.Redacted | string
  /** Where to sign up. Default: Google Identity Toolkit's `signupNewUser`. */
  readonly signUpUrl?: string | undefined
  /** Where to refresh. Default: Google Secure Token's `token`. */
  readonly tokenUrl?: string | undefined
}

const sessionGone: ReadonlySet<AuthReason> = new Set<AuthReason>([
  "INVALID_REFRESH_TOKEN",
  "TOKEN_EXPIRED",
  "USER_NOT_FOUND",
  "MISSING_REFRESH_TOKEN"
])

/** A refresh that failed, and until when no other is worth a try unless somebody waits for it. */
interface FailedRefresh {
  readonly error: TokenError
  readonly until: number
}

const backoffAfter = (error: TokenError): Duration.Duration => {
  switch (error._tag) {
    case "RateLimitedError":
      return error.retryAfter ?? Duration.seconds(5)
    case "AuthError":
      return Duration.infinity
    default:
      return Duration.seconds(30)
  }
}

const sessions = (known: Array.NonEmptyReadonlyArray<Credentials>): Array.NonEmptyReadonlyArray<Credentials> =>
  Array.dedupeWith(known, (one, other) => Equal.equals(one.refreshToken, other.refreshToken))

const redacted = (secret: Redacted.Redacted | string): Redacted.Redacted =>
  Redacted.make((Redacted.isRedacted(secret) ? Redacted.value(secret) : secret).trim())

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Service, never, TokenStore | HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function* () {
    const store = yield* TokenStore
    const scope = yield* Effect.scope
    const identityService = Identity.make(yield* HttpClient.HttpClient, {
      apiKey: redacted(options.apiKey),
      signUpUrl: options.signUpUrl ?? "https://www.googleapis.com/identitytoolkit/v3/relyingparty/signupNewUser",
      tokenUrl: options.tokenUrl ?? "https://securetoken.googleapis.com/v1/token"
    })
    const current = yield* Ref.make<Credentials | undefined>(undefined)
    const inFlight = yield* SynchronizedRef.make<Fiber.Fiber<Credentials, TokenError> | undefined>(undefined)
    const refreshBackoff = yield* Ref.make<FailedRefresh | undefined>(undefined)
    const unsaved = yield* Ref.make<Credentials | undefined>(undefined)

    const keepInMemory = (credentials: Credentials) => (error: TokenStoreError) =>
      Effect.whenEffect(
        Effect.logWarning(`${error.message} It is kept in memory, until this program ends.`),
        Effect.map(Ref.getAndSet(unsaved, credentials), Predicate.isUndefined)
      )

    const keep = (credentials: Credentials) =>
      store
        .save(credentials)
        .pipe(
          Effect.catchTag("TokenStoreError", keepInMemory(credentials)),
          Effect.zipRight(Ref.set(current, credentials)),
          Effect.as(credentials)
        )

    // A server may have rotated the refresh token by the time its answer is read, and losing that would lose the session.
    // An interruption reaches the fibers that a timeout forks even through `uninterruptible`, but no daemon.
    const obtained = (answer: Effect.Effect<Credentials, Identity.IdentityError>) =>
      Effect.flatMap(withAttemptSpan(answer), (attempt) =>
        Effect.flatMap(attempt, keep).pipe(
          Effect.forkDaemon,
          Effect.flatMap(Fiber.join),
          Effect.uninterruptible,
          Effect.retry({ schedule: retryThrice, while: (error) => error._tag === "TransportError" })
        )
      )

    const signUp = obtained(identityService.signUp)

    // Neither of two sessions is given up untried.
    const refresh = ([first, ...others]: Array.NonEmptyReadonlyArray<Credentials>): Effect.Effect<
      Credentials,
      Identity.IdentityError
    > =>
      obtained(identityService.refresh(first)).pipe(
        Effect.catchIf(
          (error) => error._tag === "AuthError" && sessionGone.has(error.reason),
          () => (Array.isNonEmptyReadonlyArray(others) ? refresh(others) : signUp)
        )
      )

    const obtain = (refused?: Redacted.Redacted) =>
      Effect.gen(function* () {
        const held = yield* Ref.get(current)
        const inMemory = Option.fromNullable(held)
        const stored = yield* store.load
        const now = yield* Clock.currentTimeMillis
        // What was saved, and is another in the store now, was replaced there: whatever the clocks say of their ages.
        const isUnsaved = held === (yield* Ref.get(unsaved))
        const known = Array.getSomes(isUnsaved ? [inMemory, stored] : [stored, inMemory])
        if (!Array.isNonEmptyArray(known)) return yield* signUp
        const [latest] = known
        const isHeld = Equal.equals(held?.idToken, latest.idToken)
        // Another process may have renewed what this one holds: that is as good as a renewal of one's own.
        const isUsable = isFresh(latest, now) || (isValid(latest, now) && !isHeld)
        if (!isUsable || Equal.equals(refused, latest.idToken)) return yield* refresh(sessions(known))
        yield* Ref.set(current, latest)
        return latest
      })

    const rememberFailure = (error: TokenError) =>
      Effect.flatMap(monotonicMillis, (now) =>
        Ref.set(refreshBackoff, { error, until: now + Duration.toMillis(backoffAfter(error)) })
      )

    const currentBackoff = Effect.zipWith(Ref.get(refreshBackoff), monotonicMillis, (last, now) =>
      last !== undefined && now < last.until
        ? { error: last.error, left: Duration.millis(last.until - now) }
        : undefined
    )

    /** Starts a refresh, or finds the one under way. It belongs to the layer, so no caller's interruption ends it. */
    const startRefresh = (refused?: Redacted.Redacted) =>
      Effect.uninterruptible(
        SynchronizedRef.modifyEffect(inFlight, (underWay) =>
          underWay !== undefined
            ? Effect.succeed([underWay, underWay] as const)
            : store.exclusively(obtain(refused)).pipe(
                Effect.tapBoth({ onFailure: rememberFailure, onSuccess: () => Ref.set(refreshBackoff, undefined) }),
                Effect.ensuring(SynchronizedRef.set(inFlight, undefined)),
                Effect.interruptible,
                Effect.forkIn(scope),
                Effect.map((fiber) => [fiber, fiber] as const)
              )
        )
      )

    const refreshInBackground = Effect.whenEffect(startRefresh(), Effect.map(currentBackoff, Predicate.isUndefined))

    const awaitRefresh = (refused?: Redacted.Redacted) =>
      startRefresh(refused).pipe(Effect.flatMap(Fiber.await), Effect.flatten)

    // Honour Retry-After: fail fast until it expires, however many callers there are.
    const refreshedToken = (refused?: Redacted.Redacted) =>
      Effect.gen(function* () {
        const last = yield* currentBackoff
        if (last?.error._tag === "RateLimitedError") {
          return yield* new RateLimitedError({ operation: last.error.operation, retryAfter: last.left })
        }
        const refreshed = yield* awaitRefresh(refused)
        // A refresh that was under way before may have come back with the very token that was refused.
        const credentials = Equal.equals(refused, refreshed.idToken) ? yield* awaitRefresh(refused) : refreshed
        if (!isFresh(credentials, yield* Clock.currentTimeMillis)) yield* refreshInBackground
        return credentials.idToken
      })

    return Auth.of({
      token: Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const held = yield* Ref.get(current)
        if (held === undefined || !isValid(held, now)) return yield* refreshedToken()
        if (!isFresh(held, now)) yield* refreshInBackground
        return held.idToken
      }),

      renew: Effect.fn("Auth.renew")(function* (refused) {
        const now = yield* Clock.currentTimeMillis
        const held = yield* Ref.get(current)
        const isRenewed = held !== undefined && isValid(held, now) && !Equal.equals(held.idToken, refused)
        return isRenewed ? held.idToken : yield* refreshedToken(refused)
      }),

      signOut: Effect.zipRight(store.clear, Ref.set(current, undefined)).pipe(
        store.exclusively,
        Effect.withSpan("Auth.signOut")
      )
    })
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Auth, never, TokenStore | HttpClient.HttpClient> =>
  Layer.scoped(Auth, make(options))

/**
 * The same from `Config`. What is not given is read from `ARTA_API_KEY`, `ARTA_SIGN_UP_URL` and `ARTA_TOKEN_URL`.
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
  }).pipe(Effect.map(layer), Layer.unwrapEffect)

/**
 * A fixed token, for tests and for people who have one. It is never renewed.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerToken = (token: Redacted.Redacted | string): Layer.Layer<Auth> => {
  const fixed = Effect.succeed(redacted(token))
  return Layer.succeed(Auth, { token: fixed, renew: () => fixed, signOut: Effect.void })
}
