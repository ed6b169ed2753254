import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type { AuthReason, TokenStoreError } from "../../ArtaError.js"
import { RateLimitedError } from "../../ArtaError.js"
import type { Credentials } from "../../Credentials.js"
import { isFresh, isValid } from "../../Credentials.js"
import { TokenStore } from "../../TokenStore.js"
import type { AuthOptions } from "../config.js"
import { isPermanent } from "../http.js"
import { retryThrice } from "../retry.js"
import { serviceUrl } from "../serviceUrl.js"
import { Transport } from "../transport.js"
import { decideToken } from "./decideToken.js"
import * as Identity from "./identityToolkit.js"
import { isLockLost, makeSession } from "./session.js"
import { makeSignUpLimit } from "./signUpLimit.js"
import { makeSingleFlight } from "./singleFlight.js"

type TokenError = Identity.IdentityError | TokenStoreError

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

export const redacted = (secret: Redacted.Redacted | string): Redacted.Redacted =>
  Redacted.make((Redacted.isRedacted(secret) ? Redacted.value(secret) : secret).trim())

/** `Auth` over any transport. */
export const makeAuth = Effect.fnUntraced(function* (options: AuthOptions) {
  const store = yield* TokenStore
  const identityService = Identity.make(yield* Transport, {
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
      if ("signUp" in decision) return yield* signUps.limit(gone)(requestAndSave(identityService.signUp, loaded.stored))
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
      ? new RateLimitedError({
          operation: backoff.reason.operation,
          retryAfter: backoff.left,
          reason: backoff.reason.reason
        })
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
      const clock = yield* Effect.clock
      const held = session.unsafeHeld()
      const isUsable = held !== undefined && !isRefused(held, refused) && isValid(held, clock.unsafeCurrentTimeMillis())
      yield* signUps.failIfSuspended(isUsable)
      const credentials = isUsable ? held : yield* refreshed(refused)
      const isDue = !isFresh(credentials, clock.unsafeCurrentTimeMillis()) && signUps.unsafeIsOpen(clock)
      if (isDue) yield* refreshInBackground
      return credentials.idToken
    })

  return {
    // Almost every call needs no more than its first case.
    token: Effect.clockWith((clock) => {
      const held = session.unsafeHeld()
      const isReady =
        held !== undefined && isFresh(held, clock.unsafeCurrentTimeMillis()) && signUps.unsafeIsOpen(clock)
      return isReady ? Effect.succeed(held.idToken) : validToken()
    }),

    renew: Effect.fn("Auth.renew")(validToken),

    signOut: session.clear.pipe(store.exclusively, Effect.withSpan("Auth.signOut")),

    accepted: (token: Redacted.Redacted) =>
      Effect.suspend(() => (Equal.equals(session.unsafeHeld()?.idToken, token) ? signUps.reset : Effect.void))
  }
})
