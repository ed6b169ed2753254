import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import type { TokenStoreError } from "../../ArtaError.js"
import type { Credentials } from "../../Credentials.js"
import type * as TokenStore from "../../TokenStore.js"
import type { TokenState } from "./decideToken.js"

/** The session of this process, in memory and in the store. */
export interface Session {
  /** The session in memory. */
  readonly held: Effect.Effect<Credentials | undefined>
  /** The session in memory and the session in the store. */
  readonly load: Effect.Effect<Pick<TokenState, "held" | "stored" | "isUnsaved">, TokenStoreError>
  /** Holds a session that is in the store already. */
  readonly use: (credentials: Credentials) => Effect.Effect<Credentials>
  /** Holds a new session and saves it. If the store fails, logs one warning and keeps the session in memory. */
  readonly save: (credentials: Credentials) => Effect.Effect<Credentials>
  readonly clear: Effect.Effect<void, TokenStoreError>
}

export const makeSession = (store: TokenStore.Service): Effect.Effect<Session> =>
  Effect.gen(function* () {
    const current = yield* Ref.make<Credentials | undefined>(undefined)
    const unsaved = yield* Ref.make<Credentials | undefined>(undefined)

    const use = (credentials: Credentials) => Effect.as(Ref.set(current, credentials), credentials)

    const keepInMemory = (credentials: Credentials, error: TokenStoreError) =>
      Effect.whenEffect(
        Effect.logWarning(`${error.message} It is kept in memory only.`),
        Effect.map(Ref.getAndSet(unsaved, credentials), Predicate.isUndefined)
      )

    return {
      held: Ref.get(current),
      load: Effect.gen(function* () {
        const held = yield* Ref.get(current)
        const stored = Option.getOrUndefined(yield* store.load)
        return { held, stored, isUnsaved: held === (yield* Ref.get(unsaved)) }
      }),
      use,
      save: (credentials) =>
        store.save(credentials).pipe(
          Effect.catchTag("TokenStoreError", (error) => keepInMemory(credentials, error)),
          Effect.zipRight(use(credentials))
        ),
      clear: Effect.zipRight(store.clear, Ref.set(current, undefined))
    }
  })
