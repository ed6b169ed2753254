/**
 * Stores the session between calls, programs and restarts.
 *
 * Choose a layer: `layerMemory` keeps the session while the layer lives, `layerFileSystem` in a private file,
 * `layerKeyValueStore` in the program's own `KeyValueStore`.
 *
 * @example
 * ```ts
 * import { Arta, TokenStore } from "effect-arta"
 * import { NodeContext, NodeHttpClient } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * export const MainLayer = Arta.layerConfig().pipe(
 *   Layer.provide(TokenStore.layerFileSystem("/var/lib/gallery/arta.json")),
 *   Layer.provide([NodeHttpClient.layerUndici, NodeContext.layer])
 * )
 * ```
 *
 * @since 0.1.0
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import { TokenStoreError } from "./ArtaError.js"
import type { Credentials } from "./Credentials.js"
import { isSameSession } from "./internal/sameSession.js"
import type { Backend, Written } from "./internal/tokenStore/backend.js"
import { fromJson, toJson } from "./internal/tokenStore/credentialsJson.js"
import { fileBackend } from "./internal/tokenStore/fileBackend.js"
import { keyValueBackend } from "./internal/tokenStore/keyValueBackend.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Loads the stored session. None means that there is no session: if this process has saved one, another process has
   * signed out. Unreadable text is set aside. If it is set aside or cannot be read, the result is the session that this
   * store saved or loaded last, if any. If reading fails, `save` fails too instead of replacing the unread session.
   * Fails if the path is a directory, and with the operation `lock` if another process has taken over the lock.
   */
  readonly load: Effect.Effect<Option.Option<Credentials>, TokenStoreError>
  /**
   * Replaces the stored session atomically. With `replaced`, fails with `TokenStoreError` and the operation `lock` if
   * the store no longer holds that session: another process has taken over the lock.
   */
  readonly save: (
    credentials: Credentials,
    replaced?: Option.Option<Credentials>
  ) => Effect.Effect<void, TokenStoreError>
  /** Removes the stored session. */
  readonly clear: Effect.Effect<void, TokenStoreError>
  /**
   * Runs an effect under the store's lock: effects that share the store never overlap, not even across processes if the
   * store has such a lock.
   */
  readonly exclusively: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | TokenStoreError, R>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class TokenStore extends Context.Tag("effect-arta/TokenStore")<TokenStore, Service>() {}

/**
 * Keeps the session in memory while the layer lives.
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

// A directory in place of the file does not go away by itself.
const isPermanent = (error: PlatformError | TokenStoreError): boolean =>
  error._tag !== "SystemError" || error.reason === "BadResource"

const always: Effect.Effect<boolean> = /* @__PURE__ */ Effect.succeed(true)

const fromBackend = (backend: Backend): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const lock = yield* Effect.makeSemaphore(1)
    const isLockHeld = yield* Ref.make(always)
    const unread = yield* Ref.make(Option.none<PlatformError | TokenStoreError>())
    const last = yield* Ref.make(Option.none<Credentials>())

    const failure = (operation: TokenStoreError["operation"], reason: string) =>
      new TokenStoreError({ operation, path: backend.path, reason })

    const failing = (operation: TokenStoreError["operation"]) =>
      Effect.mapError((error: PlatformError | TokenStoreError) =>
        error._tag === "TokenStoreError" ? error : failure(operation, error.message)
      )

    const failIfLost = (isHeld: boolean) =>
      isHeld ? Effect.void : Effect.suspend(() => failure("lock", "another process has taken over its lock"))

    const read = Effect.map(backend.read, (found) => ({
      written: Option.filter(found, ({ text }) => text.trim() !== ""),
      credentials: Option.flatMap(found, ({ text, writtenAt }) => fromJson(text, writtenAt))
    }))

    const write = (credentials: Credentials) => backend.write(toJson(credentials))

    // The damage is not a sign-out, so the session that was here comes back.
    const restore = (unreadable: Written) =>
      Effect.gen(function* () {
        const place = yield* backend.setAside(unreadable)
        yield* Effect.logWarning(`The session at ${backend.path} is unreadable. It was set aside as ${place}.`)
        // Another process may have completed the text meanwhile.
        const { credentials } = yield* read
        if (Option.isSome(credentials)) return yield* Ref.set(last, credentials)
        const before = yield* Ref.get(last)
        if (Option.isSome(before)) yield* write(before.value)
      })

    const load = Effect.gen(function* () {
      const { credentials, written } = yield* read
      if (Option.isSome(written) && Option.isNone(credentials)) yield* restore(written.value)
      else yield* Ref.set(last, credentials)
      yield* Ref.set(unread, Option.none())
    }).pipe(
      Effect.catchIf(Predicate.not(isPermanent), (error) => Ref.set(unread, Option.some(error))),
      Effect.zipRight(Ref.get(last))
    )

    const save = (credentials: Credentials, replaced?: Option.Option<Credentials>) =>
      Effect.gen(function* () {
        // The unread session may work: failing to save ours loses less than overwriting it.
        const unreadable = yield* Ref.get(unread)
        if (Option.isSome(unreadable)) return yield* unreadable.value
        if (replaced !== undefined) {
          const { credentials: current } = yield* read
          yield* failIfLost(isSameSession(Option.getOrUndefined(current), Option.getOrUndefined(replaced)))
        }
        yield* write(credentials)
        yield* Ref.set(last, Option.some(credentials))
      })

    const clear = Effect.zipRight(backend.remove, Ref.set(last, Option.none()))

    const isHeldNow = Effect.flatten(Ref.get(isLockHeld))

    return TokenStore.of({
      load: pipe(
        load,
        Effect.zipLeft(Effect.flatMap(isHeldNow, failIfLost)),
        failing("load"),
        Effect.withSpan("TokenStore.load")
      ),
      save: Effect.fn("TokenStore.save")(save, failing("save")),
      clear: pipe(clear, failing("clear"), Effect.withSpan("TokenStore.clear")),
      exclusively: (effect) =>
        lock.withPermits(1)(
          backend.lock((isHeld) =>
            Effect.ensuring(Effect.zipRight(Ref.set(isLockHeld, isHeld), effect), Ref.set(isLockHeld, always))
          )
        )
    })
  })

/**
 * Keeps the session in a file that only its owner can read, and creates missing directories for the owner only. The
 * file is replaced atomically. A credentials file of the Python client is read too.
 *
 * `exclusively` locks out other processes with a lock file beside it. The lock of a dead process is taken over after
 * five seconds. If another process holds the lock for a minute, `exclusively` fails with `TokenStoreError`. It
 * runs without the lock only if the directory is read-only or the disk is full.
 *
 * If the file cannot be replaced, because it is mounted by itself, its directory is read-only, or it belongs to another
 * user, it is overwritten in place, with one warning. If only its owner and a group have access to it, the group keeps
 * its access.
 *
 * A device, a pipe or a socket is neither read nor replaced: the session is kept in memory, with one warning.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFileSystem = (file: string): Layer.Layer<TokenStore, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(TokenStore, Effect.flatMap(fileBackend(file), fromBackend))

/**
 * Keeps the session in the program's `KeyValueStore`, under the key `effect-arta/credentials`.
 *
 * `exclusively` does not exclude other processes: a `KeyValueStore` has no lock. Processes that start together sign up
 * for an account each. A session that another process replaced or removed meanwhile is not overwritten.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerKeyValueStore: Layer.Layer<TokenStore, never, KeyValueStore.KeyValueStore> =
  /* @__PURE__ */ Layer.effect(
    TokenStore,
    /* @__PURE__ */ Effect.flatMap(KeyValueStore.KeyValueStore, (store) => fromBackend(keyValueBackend(store)))
  )
