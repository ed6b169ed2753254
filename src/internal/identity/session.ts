import * as Effect from "effect/Effect"
import * as MutableRef from "effect/MutableRef"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import type { ArtaError, TokenStoreError } from "../../ArtaError.js"
import type { Credentials } from "../../Credentials.js"
import type * as TokenStore from "../../TokenStore.js"
import type { TokenState } from "./decideToken.js"

type State = Pick<TokenState, "held" | "known">
type Loaded = Pick<TokenState, "held" | "known" | "stored">

/** The session of this process, in memory and in the store. */
export interface Session {
  /** The session in memory. */
  readonly unsafeHeld: () => Credentials | undefined
  /** The session in memory and the session in the store. Fails if the store's lock was lost. */
  readonly load: Effect.Effect<Loaded, TokenStoreError>
  /** Holds the session in memory, or the one that was loaded from the store. */
  readonly use: (credentials: Credentials) => Effect.Effect<Credentials>
  /**
   * Holds a new session and saves it in place of the one that was loaded. If the store fails, logs one warning and
   * keeps the session in memory. Fails if another process has replaced the session in the store since it was loaded.
   */
  readonly save: (
    credentials: Credentials,
    loaded: Credentials | undefined
  ) => Effect.Effect<Credentials, TokenStoreError>
  readonly clear: Effect.Effect<void, TokenStoreError>
}

/** Whether another process took over the store's lock from this one. */
export const isLockLost = (error: ArtaError): boolean => error._tag === "TokenStoreError" && error.operation === "lock"

export const makeSession = (store: TokenStore.Service): Effect.Effect<Session> =>
  Effect.gen(function* () {
    const state = MutableRef.make<State>({ held: undefined, known: undefined })
    const set = (next: State) =>
      Effect.sync(() => {
        MutableRef.set(state, next)
      })
    const hasWarned = yield* Ref.make(false)

    const warnOnce = (error: TokenStoreError) =>
      Effect.unlessEffect(
        Effect.logWarning(`${error.message} It is kept in memory only.`),
        Ref.getAndSet(hasWarned, true)
      )

    return {
      unsafeHeld: () => state.current.held,
      load: Effect.map(store.load, (stored) => ({ ...state.current, stored: Option.getOrUndefined(stored) })),
      use: (credentials) =>
        Effect.as(
          Effect.suspend(() =>
            credentials === state.current.held ? Effect.void : set({ held: credentials, known: credentials })
          ),
          credentials
        ),
      save: (credentials, loaded) =>
        store.save(credentials, Option.fromNullable(loaded)).pipe(
          Effect.zipRight(set({ held: credentials, known: credentials })),
          Effect.tapError(() => set({ held: credentials, known: loaded })),
          Effect.catchIf(Predicate.not(isLockLost), warnOnce),
          Effect.as(credentials)
        ),
      clear: Effect.zipRight(store.clear, set({ held: undefined, known: undefined }))
    }
  })
