import { Effect, Redacted } from "effect"
import { Auth, TokenStore } from "effect-arta"
import { unredact } from "./revealed.js"

/** The token that `Auth` hands out, as a text. */
export const token = Effect.flatMap(Auth.Auth, (auth) => Effect.map(auth.token, Redacted.value))

export const renew = (refused: string) =>
  Effect.flatMap(Auth.Auth, (auth) => Effect.map(auth.renew(Redacted.make(refused)), Redacted.value))

/** What the store holds. */
export const stored = Effect.flatMap(TokenStore.TokenStore, (store) => Effect.map(store.load, unredact))
