/**
 * Where the session lives between calls, programs and restarts.
 *
 * Swap the layer to decide: `layerMemory` forgets, `layerFileSystem` keeps a private file, `layerKeyValueStore` puts the
 * session into whatever `KeyValueStore` the program has.
 *
 * @example
 * ```ts
 * import { Arta, TokenStore } from "effect-arta"
 * import { NodeContext, NodeHttpClient } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * export const MainLive = Arta.layerConfig().pipe(
 *   Layer.provide(TokenStore.layerFileSystem("/var/lib/gallery/arta.json")),
 *   Layer.provide([NodeHttpClient.layerUndici, NodeContext.layer])
 * )
 * ```
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { identity, pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import { TokenStoreError } from "./ArtaError.js"
import type { Credentials } from "./Credentials.js"
import { fileSlot } from "./internal/tokenStore/fileBackend.js"
import type { Slot } from "./internal/tokenStore/backend.js"
import { fromJson, toJson } from "./internal/tokenStore/credentialsJson.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * The stored session. None where nothing is stored, or nothing readable: that is then set aside, not destroyed. Where
   * reading is not permitted or fails, none too, and `save` fails rather than replace what nobody has read.
   */
  readonly load: Effect.Effect<Option.Option<Credentials>, TokenStoreError>
  /** Replaces the stored session, whole or not at all. */
  readonly save: (credentials: Credentials) => Effect.Effect<void, TokenStoreError>
  /** Forgets the stored session. */
  readonly clear: Effect.Effect<void, TokenStoreError>
  /** Runs an effect while nobody else who shares the store runs one this way. */
  readonly exclusively: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | TokenStoreError, R>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class TokenStore extends Context.Tag("effect-arta/TokenStore")<TokenStore, Service>() {}

/**
 * Keeps the session in memory, for as long as the layer lives.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<TokenStore> = /* @__PURE__ */ Layer.effect(
  TokenStore,
  /* @__PURE__ */ Effect.gen(function* () {
    const stored = yield* Ref.make(Option.none<Credentials>())
    const lock = yield* Effect.makeSemaphore(1)
    return TokenStore.of({
      load: Ref.get(stored),
      save: (credentials) => Ref.set(stored, Option.some(credentials)),
      clear: Ref.set(stored, Option.none()),
      exclusively: lock.withPermits(1)
    })
  })
)

// A folder in the file's place will not become a file, and is for a person to put right.
const isLasting = (error: PlatformError): boolean => error._tag !== "SystemError" || error.reason === "BadResource"

const fromSlot = (slot: Slot): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const turn = yield* Effect.makeSemaphore(1)
    const unread = yield* Ref.make(Option.none<PlatformError>())

    const failing = (operation: TokenStoreError["operation"]) =>
      Effect.mapError(
        (error: PlatformError) => new TokenStoreError({ operation, path: slot.path, reason: error.message })
      )

    const setAside = (text: string) =>
      Effect.flatMap(slot.setAside(text), (place) =>
        Effect.logWarning(`The session at ${slot.path} is not readable. It was set aside as ${place}.`)
      )

    const load = Effect.gen(function* () {
      const found = yield* slot.read
      const credentials = Option.flatMap(found, ({ text, writtenAt }) => fromJson(text, writtenAt))
      if (Option.isSome(found) && Option.isNone(credentials) && found.value.text.trim() !== "") {
        yield* setAside(found.value.text)
      }
      return credentials
    }).pipe(
      Effect.zipLeft(Ref.set(unread, Option.none())),
      Effect.catchIf(Predicate.not(isLasting), (error) => Effect.as(Ref.set(unread, Option.some(error)), Option.none()))
    )

    // What could not be read may be a session that works: better none of ours is kept than that one lost.
    const save = (credentials: Credentials) =>
      Effect.flatMap(
        Ref.get(unread),
        Option.match({ onNone: () => slot.write(toJson(credentials)), onSome: Effect.fail })
      )

    return TokenStore.of({
      load: pipe(load, failing("load"), Effect.withSpan("TokenStore.load")),
      save: Effect.fn("TokenStore.save")(save, failing("save")),
      clear: pipe(slot.remove, failing("clear"), Effect.withSpan("TokenStore.clear")),
      exclusively: (effect) => turn.withPermits(1)(slot.lock(effect))
    })
  })

/**
 * Keeps the session in a file that only its owner can read. Folders that are missing are created, just as private. The
 * file is replaced as a whole, so a reader never sees half of one. A credentials file of the Python client is read too.
 *
 * `exclusively` keeps other processes out with a lock file beside it. The lock of a process that died is recovered after
 * five seconds; a lock that stays held makes it fail after a minute.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFileSystem = (file: string): Layer.Layer<TokenStore, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    TokenStore,
    Effect.gen(function* () {
      return yield* fromSlot(fileSlot(yield* FileSystem.FileSystem, yield* Path.Path, file))
    })
  )

const key = "effect-arta/credentials"

const keyValueSlot = (store: KeyValueStore.KeyValueStore): Slot => ({
  path: key,
  read: Effect.gen(function* () {
    const writtenAt = yield* Clock.currentTimeMillis
    return Option.map(yield* store.get(key), (text) => ({ text, writtenAt }))
  }),
  write: (text) => store.set(key, text),
  remove: store.remove(key),
  setAside: (text) =>
    store.set(`${key}.unreadable`, text).pipe(Effect.zipRight(store.remove(key)), Effect.as(`${key}.unreadable`)),
  lock: identity
})

/**
 * Keeps the session in the program's `KeyValueStore`, under the key `effect-arta/credentials`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore: Layer.Layer<TokenStore, never, KeyValueStore.KeyValueStore> =
  /* @__PURE__ */ Layer.effect(
    TokenStore,
    /* @__PURE__ */ Effect.flatMap(KeyValueStore.KeyValueStore, (store) => fromSlot(keyValueSlot(store)))
  )
