import { FileSystem, KeyValueStore, Path } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, Redacted } from "effect"
import { Credentials, TokenStore } from "effect-arta"
import { tokenStoreSuite } from "../support/tokenStoreSuite.js"
import { unredact } from "../support/unredact.js"
import { makeWitness } from "../support/witness.js"

const credentials = (name: string, issuedAt = 1_000) =>
  new Credentials.Credentials({
    localId: `account-${name}`,
    idToken: Redacted.make(`id-${name}`),
    refreshToken: Redacted.make(`refresh-${name}`),
    issuedAt,
    expiresIn: Duration.hours(1)
  })

const some = (session: Credentials.Credentials) => unredact(Option.some(session))

const inTemporaryDirectory = Layer.unwrapScoped(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = yield* fs.makeTempDirectoryScoped()
    return TokenStore.layerFileSystem(path.join(directory, "a", "b", "credentials.json"))
  })
).pipe(Layer.provide(NodeContext.layer))

const backends: Record<string, Layer.Layer<TokenStore.TokenStore, unknown>> = {
  layerMemory: TokenStore.layerMemory,
  layerFileSystem: inTemporaryDirectory,
  layerKeyValueStore: TokenStore.layerKeyValueStore.pipe(Layer.provide(KeyValueStore.layerMemory))
}

describe.each(Object.entries(backends))("TokenStore.%s", (_, layer) => {
  tokenStoreSuite(layer)
})

describe("TokenStore.layerFileSystem on a disk", () => {
  const onDisk = <A, E>(
    test: (tools: {
      readonly fs: FileSystem.FileSystem
      readonly directory: string
      readonly file: string
      readonly open: Effect.Effect<TokenStore.Service>
    }) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const directory = yield* fs.makeTempDirectoryScoped()
      const file = path.join(directory, "private", "credentials.json")
      const open = TokenStore.TokenStore.pipe(
        Effect.provide(TokenStore.layerFileSystem(file)),
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.provideService(Path.Path, path)
      )
      return yield* test({ fs, directory, file, open })
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

  const modeOf = (info: FileSystem.File.Info) => (info.mode & 0o777).toString(8)

  it.effect("writes a private file in a private directory", () =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* (yield* open).save(credentials("a"))
        expect(modeOf(yield* fs.stat(file))).toBe("600")
        expect(modeOf(yield* fs.stat(`${directory}/private`))).toBe("700")
        expect(yield* fs.readDirectory(`${directory}/private`)).toEqual(["credentials.json"])
      })
    )
  )

  it.effect("makes an existing file private", () =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${directory}/private`)
        yield* fs.writeFileString(file, "{}", { mode: 0o644 })
        yield* (yield* open).save(credentials("a"))
        expect(modeOf(yield* fs.stat(file))).toBe("600")
      })
    )
  )

  it.effect("loads the session in the next program", () =>
    onDisk(({ open }) =>
      Effect.gen(function* () {
        yield* (yield* open).save(credentials("a"))
        expect(unredact(yield* (yield* open).load)).toEqual(some(credentials("a")))
      })
    )
  )

  it.effect("reads the Python client's file, with its modification time as its age", () =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${directory}/private`)
        const python = {
          kind: "k",
          idToken: "id-a",
          refreshToken: "refresh-a",
          expiresIn: "3600",
          localId: "account-a"
        }
        yield* fs.writeFileString(file, JSON.stringify(python))
        yield* fs.utimes(file, 5, 5)
        expect(unredact(yield* (yield* open).load)).toEqual(some(credentials("a", 5_000)))
      })
    )
  )

  // fault: Store | A token file that is truncated, malformed or of a later version | a warning, and a new session
  it.effect.each<[string, string]>([
    ["truncated", '{"version":1,"idTok'],
    ["in another format", '{"version":1,"idToken":7}'],
    [
      "from a future version",
      '{"version":2,"idToken":"a","refreshToken":"b","localId":"c","issuedAt":0,"expiresIn":3600000}'
    ],
    ["incomplete", '{"version":1,"idToken":"a","refreshToken":"b","localId":"c","expiresIn":3600000}'],
    ["with a version that has no text", '{"version":{"toString":null}}'],
    ["with an infinite lifetime", '{"idToken":"a","refreshToken":"b","localId":"c","expiresIn":"Infinity"}']
  ])("renames an unusable file and loads nothing: %s", ([, content]) =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${directory}/private`)
        yield* fs.writeFileString(file, content)
        expect(yield* (yield* open).load).toEqual(Option.none())
        const [aside = ""] = yield* fs.readDirectory(`${directory}/private`)
        expect(aside).toMatch(/^credentials\.json\.unreadable-\d+$/)
        expect(yield* fs.readFileString(`${directory}/private/${aside}`)).toBe(content)
      })
    )
  )

  // fault: Store | An empty token file | nothing
  it.effect.each(["", " \n"])("treats an empty file as missing: %j", (content) =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${directory}/private`)
        yield* fs.writeFileString(file, content)
        expect(yield* (yield* open).load).toEqual(Option.none())
        expect(yield* fs.readDirectory(`${directory}/private`)).toEqual(["credentials.json"])
      })
    )
  )

  // fault: Store | The token file is a symlink | nothing
  it.effect("writes through a symlink", () =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${directory}/private`)
        yield* fs.writeFileString(`${directory}/real.json`, "")
        yield* fs.symlink(`${directory}/real.json`, file)
        yield* (yield* open).save(credentials("a"))
        expect(yield* fs.readLink(file)).toBe(`${directory}/real.json`)
        expect(unredact(yield* (yield* open).load)).toEqual(some(credentials("a")))
        yield* (yield* open).clear
        expect(yield* fs.exists(`${directory}/real.json`)).toBe(false)
        expect(yield* fs.readLink(file)).toBe(`${directory}/real.json`)
      })
    )
  )

  // fault: Store | The token file is a directory | `TokenStoreError` with the path
  it.effect("names the path if it is a directory", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(file, { recursive: true })
        const store = yield* open
        expect(yield* Effect.flip(store.load)).toMatchObject({ _tag: "TokenStoreError", operation: "load", path: file })
        expect(yield* Effect.flip(store.clear)).toMatchObject({ operation: "clear", path: file })
        const error = yield* Effect.flip(store.save(credentials("a")))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "save", path: file })
        expect(error.message).toContain(file)
        expect(yield* fs.readDirectory(file.replace("/credentials.json", ""))).toEqual(["credentials.json"])
      })
    )
  )

  // fault: Store | No file can have the path of the token file | `TokenStoreError` with the path
  it.effect("names the path at once, without a wait for its lock, if it contains a NUL", () =>
    onDisk(({ file }) =>
      Effect.gen(function* () {
        const path = `${file}\0`
        const store = yield* Effect.provide(TokenStore.TokenStore, TokenStore.layerFileSystem(path))
        const error = yield* Effect.flip(store.exclusively(store.load))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "load", path })
      }).pipe(Effect.provide(NodeContext.layer))
    )
  )

  // fault: Store | The token file is below a file, as with `HOME=/dev/null` | no session, and a save fails with the path
  it.effect("holds no session if it is below a file", () =>
    onDisk(({ directory, file, fs }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${directory}/private`, "a file")
        const store = yield* Effect.provide(TokenStore.TokenStore, TokenStore.layerFileSystem(file))
        expect(yield* store.exclusively(store.load)).toEqual(Option.none())
        yield* store.exclusively(store.clear)
        expect(yield* Effect.flip(store.save(credentials("a")))).toMatchObject({ operation: "save", path: file })
        expect(yield* fs.readFileString(`${directory}/private`)).toBe("a file")
      }).pipe(Effect.provide(NodeContext.layer))
    )
  )

  // fault: Store | Another program has replaced the session since it was loaded | `TokenStoreError`, and its session
  it.effect("does not replace the session that another program has saved meanwhile", () =>
    onDisk(({ file, open }) =>
      Effect.gen(function* () {
        const store = yield* open
        yield* store.save(credentials("old"))
        yield* (yield* open).save(credentials("theirs"))
        const error = yield* Effect.flip(store.save(credentials("ours"), Option.some(credentials("old"))))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "lock", path: file })
        expect(error.message).toContain("another process has taken over its lock")
        expect(unredact(yield* store.load)).toEqual(some(credentials("theirs")))
        yield* store.save(credentials("ours"), Option.some(credentials("theirs")))
        expect(unredact(yield* store.load)).toEqual(some(credentials("ours")))
      })
    )
  )

  it.effect("has a span for each operation", () =>
    onDisk(({ open }) =>
      Effect.gen(function* () {
        const { spans, watch } = makeWitness()
        const store = yield* open
        yield* watch(Effect.all([store.save(credentials("a")), store.load, store.clear]))
        expect(spans.map(({ name }) => name)).toEqual(["TokenStore.save", "TokenStore.load", "TokenStore.clear"])
      })
    )
  )
})

describe("TokenStore.layerKeyValueStore", () => {
  it.effect("moves an unreadable value to another key", () =>
    Effect.gen(function* () {
      const values = yield* KeyValueStore.KeyValueStore
      yield* values.set("effect-arta/credentials", "nonsense")
      const store = yield* TokenStore.TokenStore
      const { layer, shown } = makeWitness()
      expect(yield* Effect.provide(store.load, layer)).toEqual(Option.none())
      expect(shown.join("\n")).toContain("set aside as effect-arta/credentials.unreadable")
      expect(yield* values.get("effect-arta/credentials")).toEqual(Option.none())
      expect(yield* values.get("effect-arta/credentials.unreadable")).toEqual(Option.some("nonsense"))
    }).pipe(Effect.provide(TokenStore.layerKeyValueStore.pipe(Layer.provideMerge(KeyValueStore.layerMemory))))
  )
})
