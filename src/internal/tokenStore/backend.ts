import type { PlatformError } from "@effect/platform/Error"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { TokenStoreError } from "../../ArtaError.js"

/** A text, and when it was written, in milliseconds since the Unix epoch. */
export interface Written {
  readonly text: string
  readonly writtenAt: number
}

/** Where a token store keeps its session: a place for one text. */
export interface Backend {
  readonly path: string
  readonly read: Effect.Effect<Option.Option<Written>, PlatformError>
  readonly write: (text: string) => Effect.Effect<void, PlatformError | TokenStoreError>
  readonly remove: Effect.Effect<void, PlatformError>
  /** Moves unreadable text out of the way and returns its new place. */
  readonly setAside: (unreadable: Written) => Effect.Effect<string, PlatformError>
  /**
   * Keeps out other processes that share the place, if the place allows it. `isHeld` tells whether the lock has not
   * been taken over meanwhile.
   */
  readonly lock: <A, E, R>(
    use: (isHeld: Effect.Effect<boolean>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | TokenStoreError, R>
}
