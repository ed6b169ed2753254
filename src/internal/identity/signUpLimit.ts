import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as MutableRef from "effect/MutableRef"
import type { TransportError } from "../../ArtaError.js"
import { AuthError } from "../../ArtaError.js"
import type { Credentials } from "../../Credentials.js"
import { makeCooldown } from "../cooldown.js"
import { isPermanent } from "../http.js"

/** Prevents a stream of new accounts while the services refuse each of them, or none can be read. */
export interface SignUpLimit {
  /** Fails while sign-ups are suspended. */
  readonly failIfSuspended: Effect.Effect<void, AuthError | TransportError>
  /** Whether `failIfSuspended` succeeds. */
  readonly unsafeIsOpen: (clock: Clock.Clock) => boolean
  /**
   * Runs a sign-up, unless one of the sessions that are gone was signed up within the cooldown. If no retry can help it,
   * and it may have created an account, others wait for the cooldown.
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
    failIfSuspended: Effect.flatMap(suspension.current, (pause) =>
      pause === undefined ? Effect.void : Effect.fail(pause.reason)
    ),
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
        const unread = Either.isLeft(result) && isPermanent(result.left) && result.left.sent
        if (unread) yield* suspension.start(result.left, length)
        if (unread || Either.isRight(result)) {
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
