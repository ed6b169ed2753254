import type { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, Option, Ref, TestClock } from "effect"
import { Auth, TokenStore } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"
import { inspect } from "node:util"
import { type Failure, failing, failures, type Step } from "../support/failingDisk.js"
import { onDisk, session } from "../support/onDisk.js"
import { unredact } from "../support/unredact.js"
import { token } from "../support/session.js"

const steps: ReadonlyArray<Step> = ["makeDirectory", "open", "write", "sync", "rename"]
const kinds = Object.keys(failures) as ReadonlyArray<keyof typeof failures>

const counts = Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => emulator.counts)

describe.each(kinds)("A save that fails with %s", (failure) => {
  // A file that may not be renamed, as in a sticky directory, is overwritten in place.
  const failingSteps = steps.filter((step) => step !== "rename" || failure !== "permission denied")

  // fault: Store | A failure at any step of a save | the old session is kept
  it.effect.each(failingSteps)("keeps the old session and nothing else after a failure of %s", (step) =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* (yield* open()).save(session("old"))
        const store = yield* open(failing(fs, { on: [step], failure }))
        const error = yield* Effect.flip(store.save(session("new")))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "save", path: file })
        expect(error.message).toContain(failures[failure].description)
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("old"))))
        expect(yield* files).toEqual(["credentials.json"])
      })
    )
  )

  // fault: Store | A failure at any step of the first save | nothing is left behind
  it.effect.each([...steps])("leaves no file after a failure of %s, and the next save succeeds", (step) =>
    onDisk(({ files, fs, open }) =>
      Effect.gen(function* () {
        const store = yield* open(failing(fs, { on: [step], failure }))
        yield* Effect.flip(store.save(session("new")))
        expect(yield* store.load).toEqual(Option.none())
        expect(yield* files).toEqual([])
        yield* (yield* open()).save(session("new"))
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("new"))))
      })
    )
  )
})

/** Gets three tokens, each after the previous one has expired, and collects the log. */
const threeTokens = (store: TokenStore.Service) =>
  Effect.gen(function* () {
    const logged: Array<string> = []
    const logger = Logger.make((entry) => {
      logged.push(`${entry.logLevel.label} ${inspect({ ...entry, context: undefined }, { depth: 20 })}`)
    })
    const tokens = yield* Effect.gen(function* () {
      const first = yield* token
      yield* TestClock.adjust("2 hours")
      const second = yield* token
      yield* TestClock.adjust("2 hours")
      return [first, second, yield* token]
    }).pipe(
      Effect.provide(Auth.layer({ apiKey: "the-api-key" })),
      Effect.provideService(TokenStore.TokenStore, store),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
    return { tokens, logged }
  })

const expectOneWarning = ({ logged, tokens }: Effect.Effect.Success<ReturnType<typeof threeTokens>>) => {
  expect(new Set(tokens).size).toBe(3)
  expect(logged.filter((line) => /^(WARN|ERROR|FATAL)/.test(line))).toHaveLength(1)
  expect(logged.join("\n")).toContain("kept in memory")
  for (const secret of [...tokens, "refresh-token", "the-api-key"]) expect(logged.join("\n")).not.toContain(secret)
}

describe("Auth on a disk that cannot be written to", () => {
  const disks: ReadonlyArray<[name: string, on: ReadonlyArray<Step>, failure: Failure]> = [
    ["is full", ["write"], "no space left"],
    ["is full, including its directory entries", ["makeDirectory", "open", "write"], "no space left"],
    ["is read-only", ["makeDirectory", "open", "rename"], "a read-only disk"],
    ["belongs to another user", ["makeDirectory", "open", "rename"], "permission denied"],
    ["cannot rename", ["rename"], "permission denied"]
  ]

  // fault: Store | A disk that is full, read-only or not writable for this user | one warning
  it.effect.each([...disks])("keeps the session in memory and warns once when the disk %s", ([, on, failure]) =>
    onDisk(({ files, fs, open }) =>
      Effect.gen(function* () {
        expectOneWarning(yield* threeTokens(yield* open(failing(fs, { on, failure }))))
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
        expect(yield* files).toEqual([])
      })
    ).pipe(Effect.provide(ArtaEmulator.layer({ rotateRefreshTokens: true })))
  )
})

describe("Auth on a file that cannot be read", () => {
  // fault: Store | A token file that cannot be read or set aside | one warning, and the file is unchanged
  it.effect.each<[string, Failure, string, ReadonlyArray<Step>, string]>([
    ["belongs to another user", "permission denied", '{"somebody":"else\'s"}', ["read"], ".json"],
    ["is malformed, on a read-only disk", "a read-only disk", "nonsense", ["rename"], ""]
  ])("keeps the session in memory, warns once, and keeps the file when it %s", ([, failure, content, on, suffix]) =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, content)
        expectOneWarning(yield* threeTokens(yield* open(failing(fs, { on, failure, suffix }))))
        expect(yield* counts).toMatchObject({ signUp: 1, refresh: 2 })
        expect(yield* files).toEqual(["credentials.json"])
        expect(yield* fs.readFileString(file)).toBe(content)
      })
    ).pipe(Effect.provide(ArtaEmulator.layer({ rotateRefreshTokens: true })))
  )

  // fault: Store | A token file that cannot be read for a moment | one warning, and the file is unchanged
  it.effect("does not replace a session that it could not read", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* (yield* open()).save(session("theirs"))
        const isBusy = yield* Ref.make(true)
        const busy = failing(fs, { on: ["read"], failure: "permission denied" })
        const readFileString: FileSystem.FileSystem["readFileString"] = (path, encoding) =>
          Effect.flatMap(Ref.get(isBusy), (is) => (is ? busy : fs).readFileString(path, encoding))
        const store = yield* open({ ...fs, readFileString })
        expect(yield* store.load).toEqual(Option.none())
        yield* Ref.set(isBusy, false)
        expect(yield* Effect.flip(store.save(session("ours")))).toMatchObject({ operation: "save", path: file })
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("theirs"))))
        yield* store.save(session("ours"))
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("ours"))))
      })
    )
  )

  // fault: Store | The token file is a directory, and a request needs a token | `TokenStoreError` with the path
  it.effect("fails with the path if it is a directory", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(file)
        const error = yield* Effect.flip(threeTokens(yield* open()))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "load", path: file })
        expect(yield* counts).toMatchObject({ signUp: 0 })
      })
    ).pipe(Effect.provide(ArtaEmulator.layer()))
  )
})

describe("A token file that is a dangling symlink", () => {
  // fault: Store | The token file is a dangling symlink | nothing
  it.effect("is still a symlink after a save", () =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.symlink("elsewhere/real.json", file)
        const store = yield* open()
        expect(yield* store.load).toEqual(Option.none())
        yield* store.exclusively(store.save(session("a")))
        expect(yield* fs.readLink(file)).toBe("elsewhere/real.json")
        expect(yield* fs.readDirectory(`${directory}/elsewhere`)).toEqual(["real.json"])
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("a"))))
      })
    )
  )

  // fault: Store | The directory of the token file cannot be created | nothing, until a session is saved
  it.effect("does not delay exclusive effects if the directory of its target cannot be created", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.symlink("elsewhere/real.json", file)
        const store = yield* open(failing(fs, { on: ["makeDirectory"], failure: "permission denied" }))
        expect(yield* store.exclusively(store.load)).toEqual(Option.none())
        expect(yield* Effect.flip(store.save(session("a")))).toMatchObject({ operation: "save", path: file })
      })
    )
  )
})

describe("A token file that is a chain of symlinks", () => {
  // fault: Store | The token file is a chain of symlinks, and the last one dangles | nothing
  it.effect("is written to the target of the last symlink, and every symlink is kept", () =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${directory}/one/deep`, { recursive: true })
        yield* fs.makeDirectory(`${directory}/two`)
        yield* fs.symlink(`${directory}/one/deep`, `${directory}/way`)
        yield* fs.symlink("way/link.json", file)
        yield* fs.symlink("../../two/real.json", `${directory}/one/deep/link.json`)
        const store = yield* open()
        yield* store.exclusively(store.save(session("a")))
        expect(yield* fs.readLink(file)).toBe("way/link.json")
        expect(yield* fs.readLink(`${directory}/one/deep/link.json`)).toBe("../../two/real.json")
        expect(yield* fs.readDirectory(`${directory}/two`)).toEqual(["real.json"])
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("a"))))
      })
    )
  )

  // fault: Store | The token file is a circle of symlinks | `TokenStoreError` with the path
  it.effect("fails with a typed error if the chain is a circle", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.symlink("credentials.json", file)
        const store = yield* open()
        const error = yield* Effect.flip(store.exclusively(store.load))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "load", path: file })
      })
    )
  )

  it.effect("is still a circle after a save and a sign-out, which fail", () =>
    onDisk(({ file, directory, files, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.symlink("other.json", file)
        yield* fs.symlink("credentials.json", `${directory}/other.json`)
        const store = yield* open()
        expect(yield* Effect.flip(store.save(session("a")))).toMatchObject({ operation: "save", path: file })
        expect(yield* Effect.flip(store.clear)).toMatchObject({ operation: "clear", path: file })
        expect(yield* fs.readLink(file)).toBe("other.json")
        expect(yield* files).toEqual(["credentials.json", "other.json"])
      })
    )
  )
})

describe("An unreadable file behind a symlink", () => {
  it.effect("is renamed in the directory of the target, which may be on another disk", () =>
    onDisk(({ file, directory, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.makeDirectory(`${directory}/elsewhere`)
        yield* fs.writeFileString(`${directory}/elsewhere/real.json`, "nonsense")
        yield* fs.symlink(`${directory}/elsewhere/real.json`, file)
        expect(yield* (yield* open()).load).toEqual(Option.none())
        const [aside = ""] = yield* fs.readDirectory(`${directory}/elsewhere`)
        expect(aside).toMatch(/^real\.json\.unreadable-\d+$/)
      })
    )
  )
})

describe("A temporary file", () => {
  it.effect("of a killed program is removed by a later save, unless it may be in use", () =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        for (const name of [".effect-arta.1.tmp", ".effect-arta.2.tmp", "notes.tmp", ".other.3.tmp"]) {
          yield* fs.writeFileString(file.replace("credentials.json", name), "half")
        }
        for (const name of [".effect-arta.1.tmp", "notes.tmp", ".other.3.tmp"]) {
          yield* fs.utimes(file.replace("credentials.json", name), 0, 0)
        }
        yield* (yield* open()).save(session("a"))
        expect(yield* files).toEqual([".effect-arta.2.tmp", ".other.3.tmp", "credentials.json", "notes.tmp"])
      })
    )
  )
})
