import { Effect, Redacted } from "effect"
import { Auth, TokenStore } from "effect-arta"
import { unredact } from "./unredact.js"

/** The token of `Auth`, as a string. */
export const token = Effect.flatMap(Auth.Auth, (auth) => Effect.map(auth.token, Redacted.value))

export const renew = (refused: string) =>
  Effect.flatMap(Auth.Auth, (auth) => Effect.map(auth.renew(Redacted.make(refused)), Redacted.value))

/** The session in the store. */
export const stored = Effect.flatMap(TokenStore.TokenStore, (store) => Effect.map(store.load, unredact))
