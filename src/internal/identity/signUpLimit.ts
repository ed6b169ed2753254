import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import { AuthError } from "../../ArtaError.js"
import type { Credentials } from "../../Credentials.js"
import { makeCooldown } from "../cooldown.js"

/** Prevents a stream of new accounts while the services refuse each of them. */
export interface SignUpLimit {
  /** Fails while sign-ups are suspended. */
  readonly failIfSuspended: Effect.Effect<void, AuthError>
  /** Whether `failIfSuspended` succeeds. */
  readonly unsafeIsOpen: (clock: Clock.Clock) => boolean
  /** Runs a sign-up, unless one of the sessions that are gone was signed up within the cooldown. */
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
  const suspension = yield* makeCooldown<undefined>()
  const refusal = Effect.suspend(() => new AuthError({ reason: "NEW_ACCOUNT_REFUSED" }))
  const unsafeIsOpen = (clock: Clock.Clock) => suspension.unsafeCurrent(clock) === undefined

  return {
    unsafeIsOpen,
    failIfSuspended: Effect.clockWith((clock) => (unsafeIsOpen(clock) ? Effect.void : refusal)),
    limit: (gone) => (signUp) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const length = cooldown.current
        const ages = gone.map(({ signedUpAt = Number.NEGATIVE_INFINITY }) => now - signedUpAt)
        const age = Math.min(...ages.filter((age) => age >= 0))
        if (age < length) {
          yield* suspension.start(undefined, length - age)
          return yield* refusal
        }
        const credentials = yield* signUp
        cooldown.current = Math.min(longestCooldown, Math.max(firstCooldown, 2 * length))
        return credentials
      }),
    reset: Effect.suspend(() => {
      // Each accepted request resets the limit, and there is rarely one.
      if (cooldown.current === 0) return Effect.void
      cooldown.current = 0
      return suspension.end
    })
  }
})
