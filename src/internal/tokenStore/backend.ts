import type { PlatformError } from "@effect/platform/Error"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type { TokenStoreError } from "../../ArtaError.js"

/** A place for one text, which a token store keeps its session in. */
export interface Slot {
  readonly path: string
  readonly read: Effect.Effect<Option.Option<{ readonly text: string; readonly writtenAt: number }>, PlatformError>
  readonly write: (text: string) => Effect.Effect<void, PlatformError>
  readonly remove: Effect.Effect<void, PlatformError>
  /** Moves what is stored out of the way and tells where it is now. */
  readonly setAside: (text: string) => Effect.Effect<string, PlatformError>
  /** Keeps others who share the place out, where they can be kept out. */
  readonly lock: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | TokenStoreError, R>
}
