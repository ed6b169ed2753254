import { Effect, Redacted } from "effect"
import { Auth } from "effect-arta"

/** The token that `Auth` hands out, as a text. */
export const token = Effect.flatMap(Auth.Auth, (auth) => Effect.map(auth.token, Redacted.value))

export const renew = (refused: string) =>
  Effect.flatMap(Auth.Auth, (auth) => Effect.map(auth.renew(Redacted.make(refused)), Redacted.value))
