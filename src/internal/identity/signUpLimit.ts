import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as MutableRef from "effect/MutableRef"
import type { TransportError } from "../../ArtaError.js"
import { AuthError } from "../../ArtaError.js"
import type { Credentials } from "../../Credentials.js"
import { makeCooldown } from "../cooldown.js"
import { isPermanent, PermanentError } from "../http.js"

/** Limits sign-ups while the services refuse new accounts, or while their responses to sign-ups are unusable. */
export interface SignUpLimit {
  /** Fails while sign-ups are suspended. An unusable response to a sign-up is no reason not to use a token. */
  readonly failIfSuspended: (hasToken: boolean) => Effect.Effect<void, AuthError | TransportError>
  /** Whether sign-ups are not suspended. */
  readonly unsafeIsOpen: (clock: Clock.Clock) => boolean
  /**
   * Runs a sign-up, unless one of the sessions that are gone was signed up within the cooldown. Suspends further ones
   * if this one may have created an account that cannot be used.
   */
  readonly limit: (
    gone: ReadonlyArray<Credentials>
  ) => <A, E>(signUp: Effect.Effect<A, E>) => Effect.Effect<A, E | AuthError>
  /** Lifts the limit: the API accepted a token. */
  readonly reset: Effect.Effect<void>
}

// Milliseconds.
const firstCooldown = 30_000
const longestCooldown = 3_600_000

export const makeSignUpLimit: Effect.Effect<SignUpLimit> = Effect.gen(function* () {
  // Doubles with each sign-up until the API accepts a token.
  const cooldown = MutableRef.make(firstCooldown)
  const suspension = yield* makeCooldown<AuthError | TransportError>()
  const unsafeIsOpen = (clock: Clock.Clock) => suspension.unsafeCurrent(clock) === undefined

  return {
    unsafeIsOpen,
    failIfSuspended: (hasToken) =>
      Effect.flatMap(suspension.current, (pause): Effect.Effect<void, AuthError | TransportError> => {
        if (pause === undefined) return Effect.void
        const { left, reason } = pause
        if (reason._tag === "AuthError") return reason
        const wait = `no other sign-up for ${String(Math.ceil(Duration.toSeconds(left)))}s: it may create an account`
        return hasToken
          ? Effect.void
          : new PermanentError({ operation: reason.operation, sent: true, reason: `${reason.reason}, and ${wait}` })
      }),
    limit: (gone) => (signUp) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const length = cooldown.current
        const ages = gone.map(({ signedUpAt = Number.NEGATIVE_INFINITY }) => now - signedUpAt)
        const age = Math.min(...ages.filter((age) => age >= 0))
        if (age < length) {
          const refusal = new AuthError({ reason: "NEW_ACCOUNT_REFUSED" })
          yield* suspension.start(refusal, length - age)
          return yield* refusal
        }
        const result = yield* Effect.either(signUp)
        const isUnusable = Either.isLeft(result) && isPermanent(result.left) && result.left.sent
        if (isUnusable) yield* suspension.start(result.left, Math.max(firstCooldown, length))
        if (isUnusable || Either.isRight(result)) {
          cooldown.current = Math.min(longestCooldown, Math.max(firstCooldown, 2 * length))
        }
        return yield* result
      }),
    reset: Effect.suspend(() => {
      // Each accepted request resets the limit, and there is rarely one.
      if (cooldown.current === 0) return Effect.void
      cooldown.current = 0
      return suspension.end
    })
  }
})
