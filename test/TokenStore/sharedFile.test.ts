import type { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { failing } from "../support/failingDisk.js"
import { onDisk, session } from "../support/onDisk.js"
import { unredact } from "../support/unredact.js"

const isRoot = process.getuid?.() === 0

const accessOf = ({ gid, mode, uid }: FileSystem.File.Info) =>
  `${Option.getOrElse(uid, () => 0).toString()}:${Option.getOrElse(gid, () => 0).toString()} ${(mode & 0o777).toString(8)}`

interface Access {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

const anotherUser = { uid: 1234, gid: 5678 }

const create = (fs: FileSystem.FileSystem, file: string, { gid, mode, uid }: Access) =>
  Effect.gen(function* () {
    yield* fs.writeFileString(file, "")
    yield* fs.chown(file, uid, gid)
    yield* fs.chmod(file, mode)
  })

describe.skipIf(process.platform === "win32")("A token file of a group", () => {
  // fault: Store | Only the owner of the token file and a group have access to it | nothing: the group keeps its access
  it.effect.each<[number, string]>([
    [0o660, "660"],
    [0o640, "640"],
    [0o600, "600"],
    [0o664, "600"],
    [0o666, "600"]
  ])("with the permissions %o has %s after a save", ([before, after]) =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, "")
        yield* fs.chmod(file, before)
        yield* (yield* open()).save(session("a"))
        expect(((yield* fs.stat(file)).mode & 0o777).toString(8)).toBe(after)
      })
    )
  )
})

describe.runIf(isRoot)("A token file of another user", () => {
  // fault: Store | Root saves the session of another user, as through `sudo` | nothing: the file keeps its owner and its group
  it.effect.each<[number, string]>([
    [0o600, "600"],
    [0o660, "660"]
  ])("with the permissions %o still belongs to that user after root has saved it", ([before, after]) =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* create(fs, file, { ...anotherUser, mode: before })
        yield* (yield* open()).save(session("a"))
        expect(accessOf(yield* fs.stat(file))).toBe(`1234:5678 ${after}`)
        expect(yield* files).toEqual(["credentials.json"])
        expect(unredact(yield* (yield* open()).load)).toEqual(unredact(Option.some(session("a"))))
      })
    )
  )

  // fault: Store | A member of the group saves a session that belongs to another user | one warning, and the session is saved in place
  it.effect("is overwritten in place if this user cannot give it back", () =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* create(fs, file, { ...anotherUser, mode: 0o660 })
        yield* (yield* open({ ...fs, chown: refuseChown(fs) })).save(session("a"))
        expect(accessOf(yield* fs.stat(file))).toBe("1234:5678 660")
        expect(yield* files).toEqual(["credentials.json"])
        expect(unredact(yield* (yield* open()).load)).toEqual(unredact(Option.some(session("a"))))
      })
    )
  )

  // fault: Store | The token file belongs to another user, who does not share it, in this user's directory | nothing: the file is replaced
  it.effect("is replaced if this user can neither give it back nor write to it", () =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* create(fs, file, { ...anotherUser, mode: 0o644 })
        const disk = failing(fs, { on: ["open"], failure: "permission denied", suffix: "credentials.json" })
        yield* (yield* open({ ...disk, chown: refuseChown(fs) })).save(session("a"))
        expect(accessOf(yield* fs.stat(file))).toBe("0:0 600")
        expect(yield* files).toEqual(["credentials.json"])
        expect(unredact(yield* (yield* open()).load)).toEqual(unredact(Option.some(session("a"))))
      })
    )
  )
})

describe.runIf(isRoot)("A token file of root", () => {
  it.effect.each<[number, string]>([
    // The group had no access, so it does not matter which one it is.
    [0o600, "0:0 600"],
    [0o660, "0:5678 660"],
    [0o640, "0:5678 640"]
  ])("keeps its group if that has access, as with %o", ([before, after]) =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* create(fs, file, { uid: 0, gid: 5678, mode: before })
        yield* (yield* open()).save(session("a"))
        expect(accessOf(yield* fs.stat(file))).toBe(after)
      })
    )
  )

  it.effect.each([0o600, 0o660])("is replaced without a change of its owner, with the permissions %o", (mode) =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* create(fs, file, { uid: 0, gid: 0, mode })
        const before = yield* fs.stat(file)
        yield* (yield* open({ ...fs, chown: refuseChown(fs) })).save(session("a"))
        expect((yield* fs.stat(file)).ino).not.toEqual(before.ino)
      })
    )
  )
})

// The system's own refusal: only a process of this user with that id could pass it.
const refuseChown =
  (fs: FileSystem.FileSystem): FileSystem.FileSystem["chown"] =>
  (path, uid, gid) =>
    fs.chown(`${path}/no such file`, uid, gid)
