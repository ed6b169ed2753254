import { Error } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { onDisk, session } from "../support/onDisk.js"
import { unredact } from "../support/unredact.js"

describe("A token store on a file system of the program's own", () => {
  it.effect("takes the current time for the age of the Python client's file if files have no modification time", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* TestClock.adjust("1 second")
        const python = { idToken: "id-a", refreshToken: "refresh-a", expiresIn: "3600", localId: "account-a" }
        yield* fs.writeFileString(file, JSON.stringify(python))
        const stat: typeof fs.stat = (path) => Effect.map(fs.stat(path), (info) => ({ ...info, mtime: Option.none() }))
        const store = yield* open({ ...fs, stat })
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("a"))))
      })
    )
  )

  it.effect("fails with the path if an error has no description", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        const refuse = () => new Error.SystemError({ module: "FileSystem", method: "open", reason: "Unknown" })
        const store = yield* open({ ...fs, open: refuse })
        const error = yield* Effect.flip(store.save(session("a")))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "save", path: file })
      })
    )
  )

  it.effect("writes through a symlink if paths cannot be resolved", () =>
    onDisk(({ directory, file, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.symlink("real.json", file)
        const realPath = () => new Error.SystemError({ module: "FileSystem", method: "realPath", reason: "Unknown" })
        const store = yield* open({ ...fs, realPath })
        yield* store.save(session("a"))
        expect(yield* fs.readLink(file)).toBe("real.json")
        expect(yield* fs.exists(`${directory}/real.json`)).toBe(true)
        expect(unredact(yield* store.load)).toEqual(unredact(Option.some(session("a"))))
      })
    )
  )
})
