import { Error, FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, Option, TestClock } from "effect"
import { Auth, TokenStore } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { failing } from "../support/failingDisk.js"
import { onDisk, session } from "../support/onDisk.js"
import { token } from "../support/session.js"
import { unredact } from "../support/unredact.js"
import { counts, inject } from "../support/withEmulator.js"

/** How a disk behaves on which only the token file itself can be written to. */
const disks: ReadonlyArray<[name: string, disk: (fs: FileSystem.FileSystem, file: string) => FileSystem.FileSystem]> = [
  ["is mounted by itself", (fs, file) => mounted(fs, file, { reason: "Busy", code: "EBUSY" })],
  ["is mounted by itself, from another disk", (fs, file) => mounted(fs, file, { reason: "Unknown", code: "EXDEV" })],
  ["is another user's in a sticky directory", (fs, file) => mounted(fs, file, { reason: "Unknown", code: "EPERM" })],
  ["is in a read-only directory", (fs, file) => inDirectory(fs, file, "a read-only disk")],
  ["is in another user's directory", (fs, file) => inDirectory(fs, file, "permission denied")]
]

const mounted = (
  fs: FileSystem.FileSystem,
  file: string,
  { code, reason }: { readonly code: string; readonly reason: "Busy" | "Unknown" }
): FileSystem.FileSystem => {
  const refuse = (method: string) =>
    new Error.SystemError({ module: "FileSystem", method, reason, description: `${code}: ${method}` })
  return {
    ...fs,
    rename: (from, to) => (from === file || to === file ? refuse("rename") : fs.rename(from, to)),
    remove: (path, options) => (path === file ? refuse("remove") : fs.remove(path, options))
  }
}

const inDirectory = (
  fs: FileSystem.FileSystem,
  file: string,
  failure: "a read-only disk" | "permission denied"
): FileSystem.FileSystem => {
  const refusing = failing(fs, { on: ["open", "rename", "remove"], failure })
  return {
    ...refusing,
    open: (path, options) => (path === file ? fs : refusing).open(path, options)
  }
}

const modeOf = (info: FileSystem.File.Info) => (info.mode & 0o777).toString(8)

describe.each(disks)("A token file that %s", (_, disk) => {
  // fault: Store | Only the token file is writable, not its directory | one warning, and the session is saved in place
  it.effect("is overwritten in place with private permissions, with one warning", () =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, "", { mode: 0o644 })
        const warnings: Array<unknown> = []
        const logger = Logger.make(({ message }) => warnings.push(message))
        const store = yield* open(disk(fs, file))
        yield* Effect.gen(function* () {
          expect(yield* store.exclusively(store.load)).toEqual(Option.none())
          yield* store.exclusively(store.save(session("a-much-longer-name"), Option.none()))
          yield* store.exclusively(store.save(session("a")))
        }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
        expect(unredact(yield* (yield* open()).load)).toEqual(unredact(Option.some(session("a"))))
        expect(modeOf(yield* fs.stat(file))).toBe("600")
        expect(yield* files).toEqual(["credentials.json"])
        expect(warnings).toHaveLength(1)
        expect(String(warnings)).toContain(file)
        for (const secret of ["id-a", "refresh-a"]) expect(String(warnings)).not.toContain(secret)
      })
    )
  )

  it.effect("is emptied by a sign-out, and stays empty after another", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* (yield* open()).save(session("a"))
        const store = yield* open(disk(fs, file))
        yield* store.exclusively(store.clear)
        yield* store.exclusively(store.clear)
        expect(yield* store.load).toEqual(Option.none())
        expect(yield* fs.readFileString(file)).toBe("")
      })
    )
  )

  it.effect("holds a session at every step of a save, in case the program is killed", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* (yield* open()).save(session("a-much-longer-name"))
        const seen: Array<string> = []
        const looking = <A, E, R>(step: Effect.Effect<A, E, R>) =>
          Effect.tap(step, () => Effect.map(Effect.orDie(fs.readFileString(file)), (text) => seen.push(text)))
        const watched = disk(fs, file)
        const open_: FileSystem.FileSystem["open"] = (path, options) =>
          Effect.map(watched.open(path, options), (handle) => ({
            ...handle,
            stat: handle.stat,
            sync: handle.sync,
            writeAll: (bytes: Uint8Array) => looking(handle.writeAll(bytes)),
            truncate: (length?: FileSystem.SizeInput) => looking(handle.truncate(length))
          }))
        yield* (yield* open({ ...watched, open: open_ })).save(session("b"))
        for (const text of seen) expect(() => void JSON.parse(text)).not.toThrow()
        expect(seen.at(-1)).toContain("account-b")
      })
    )
  )

  it.effect("serves Auth like any other file", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, "")
        const program = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          Effect.flatMap(open(disk(fs, file)), (store) =>
            effect.pipe(
              Effect.provide(Auth.layer({ apiKey: "emulated" })),
              Effect.provideService(TokenStore.TokenStore, store)
            )
          )
        const first = yield* program(token)
        expect(yield* program(token)).toBe(first)
        yield* TestClock.adjust("2 hours")
        expect(yield* program(token)).not.toBe(first)
        yield* TestClock.adjust("2 hours")
        yield* program(token)
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
      })
    ).pipe(Effect.provide(ArtaEmulator.layer({ rotateRefreshTokens: true })))
  )
})

describe("A token file that does not exist", () => {
  // fault: Store | There is no token file, and its directory is read-only | `TokenStoreError` with the reason
  it.effect("is not created in a read-only directory, and a save gives the reason", () =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        const store = yield* open(inDirectory(fs, file, "a read-only disk"))
        const error = yield* Effect.flip(store.save(session("a")))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "save", path: file })
        expect(error.message).toContain("EROFS: read-only file system")
        expect(yield* files).toEqual([])
      })
    )
  )
})

describe("A token file with a long name", () => {
  const storeOf = (length: number) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/${"x".repeat(length)}`
      const store = yield* TokenStore.TokenStore.pipe(Effect.provide(TokenStore.layerFileSystem(file)))
      return { file, store, saved: store.exclusively(store.save(session("a"))) }
    })

  // fault: Store | The name of the token file is too long | `TokenStoreError` with the reason, at once
  it.scopedLive("fails at once if it is too long", () =>
    Effect.gen(function* () {
      const { file, saved } = yield* storeOf(300)
      const error = yield* Effect.flip(saved)
      expect(error).toMatchObject({ _tag: "TokenStoreError", path: file })
      expect(error.message).toContain("ENAMETOOLONG")
    }).pipe(Effect.provide(NodeContext.layer))
  )

  // fault: Store | The name of the token file's lock is too long | saved without a lock, at once
  it.scopedLive("is saved without a lock whose name would be too long", () =>
    Effect.gen(function* () {
      const { saved, store } = yield* storeOf(252)
      yield* saved
      expect(Option.isSome(yield* store.load)).toBe(true)
    }).pipe(Effect.provide(Layer.merge(NodeContext.layer, Logger.remove(Logger.defaultLogger))))
  )
})

describe("A damaged token file that cannot be renamed", () => {
  // fault: Store | A token file that is mounted by itself is damaged | a warning, a copy, and a new session
  it.effect.each<[string, "Busy" | "Unknown", string]>([
    ["it is mounted by itself", "Busy", "EBUSY"],
    ["it is another user's in a sticky directory", "Unknown", "EPERM"]
  ])("because %s is copied once, and kept until a new session is saved", ([, reason, code]) =>
    onDisk(({ file, directory, files, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, '{"version":1,"idTok')
        const store = yield* open(mounted(fs, file, { reason, code }))
        const program = Effect.provide(Auth.layer({ apiKey: "emulated" }))
        yield* Effect.gen(function* () {
          yield* inject(Fault.identityError("signUp", "OPERATION_NOT_ALLOWED"))
          yield* Effect.flip(program(token))
          expect(yield* fs.readFileString(file)).toBe('{"version":1,"idTok')
          const first = yield* program(token)
          expect(yield* program(token)).toBe(first)
        }).pipe(Effect.provideService(TokenStore.TokenStore, store))
        expect(yield* counts).toMatchObject({ signUp: 2, refresh: 0 })
        const [, copy = "", ...others] = yield* files
        expect(others).toEqual([])
        expect(copy).toMatch(/^credentials\.json\.unreadable-\d+$/)
        expect(yield* fs.readFileString(`${directory}/${copy}`)).toBe('{"version":1,"idTok')
        expect(modeOf(yield* fs.stat(`${directory}/${copy}`))).toBe("600")
      })
    ).pipe(Effect.provide(ArtaEmulator.layer()))
  )
})
