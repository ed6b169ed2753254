import type * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Backend } from "./backend.js"

const key = "effect-arta/credentials"

/** An entry of a `KeyValueStore`, which has no lock between processes. */
export const keyValueBackend = (store: KeyValueStore.KeyValueStore): Backend => ({
  path: key,
  read: Effect.gen(function* () {
    const writtenAt = yield* Clock.currentTimeMillis
    return Option.map(yield* store.get(key), (text) => ({ text, writtenAt }))
  }),
  write: (text) => store.set(key, text),
  remove: store.remove(key),
  setAside: ({ text }) =>
    store.set(`${key}.unreadable`, text).pipe(Effect.zipRight(store.remove(key)), Effect.as(`${key}.unreadable`)),
  lock: (use) => use(Effect.succeed(true))
})
