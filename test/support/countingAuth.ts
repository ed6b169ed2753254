import { Effect, Layer, Redacted, Ref } from "effect"
import { Auth } from "effect-arta"

/** An `Auth` whose token is token-1, then token-2 after the first renewal, and so on. */
export const countingAuth = Layer.effect(
  Auth.Auth,
  Effect.map(Ref.make(1), (number) => {
    const redacted = (n: number) => Redacted.make(`token-${String(n)}`)
    return Auth.Auth.of({
      token: Effect.map(Ref.get(number), redacted),
      renew: () =>
        Effect.map(
          Ref.updateAndGet(number, (n) => n + 1),
          redacted
        ),
      signOut: Effect.void
    })
  })
)
