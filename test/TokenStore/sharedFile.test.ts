import type { FileSystem } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { failing } from "../support/failingDisk.js"
import { onDisk, session } from "../support/onDisk.js"
import { unredact } from "../support/unredact.js"

const isRoot = process.getuid?.() === 0

const accessOf = ({ gid, mode, uid }: FileSystem.File.Info) =>
  `${Option.getOrElse(uid, () => 0).toString()}:${Option.getOrElse(gid, () => 0).toString()} ${(mode & 0o777).toString(8)}`

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
  const given = (fs: FileSystem.FileSystem, file: string, mode: number) =>
    Effect.gen(function* () {
      yield* fs.writeFileString(file, "")
      yield* fs.chown(file, 1234, 5678)
      yield* fs.chmod(file, mode)
    })

  // fault: Store | Root saves the session of another user, as through `sudo` | nothing: the file keeps its owner and its group
  it.effect.each<[number, string]>([
    [0o600, "600"],
    [0o660, "660"]
  ])("with the permissions %o still belongs to that user after root has saved it", ([before, after]) =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* given(fs, file, before)
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
        yield* given(fs, file, 0o660)
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
        yield* given(fs, file, 0o644)
        const disk = failing(fs, { on: ["open"], failure: "permission denied", suffix: "credentials.json" })
        yield* (yield* open({ ...disk, chown: refuseChown(fs) })).save(session("a"))
        expect(accessOf(yield* fs.stat(file))).toBe("0:0 600")
        expect(yield* files).toEqual(["credentials.json"])
        expect(unredact(yield* (yield* open()).load)).toEqual(unredact(Option.some(session("a"))))
      })
    )
  )
})

// The system's own refusal: only a process of this user with that id could pass it.
const refuseChown =
  (fs: FileSystem.FileSystem): FileSystem.FileSystem["chown"] =>
  (path, uid, gid) =>
    fs.chown(`${path}/no such file`, uid, gid)
