import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { failing, type Failure, failures, type Step } from "../support/failingDisk.js"
import { holdLock } from "../support/holdLock.js"
import { onDisk } from "../support/onDisk.js"
import { ended, pass } from "../support/virtualTime.js"

const kinds = Object.keys(failures) as ReadonlyArray<keyof typeof failures>

describe("A lock file that cannot be created", () => {
  const steps: ReadonlyArray<ReadonlyArray<Step>> = [["open"], ["write"], ["makeDirectory", "open"]]

  it.effect.each(kinds.flatMap((failure) => steps.map((on): [Failure, ReadonlyArray<Step>] => [failure, on])))(
    "because of %s does not delay exclusive effects",
    ([failure, on]) =>
      onDisk(({ files, fs, open }) =>
        Effect.gen(function* () {
          const store = yield* open(failing(fs, { on, failure }))
          expect(yield* store.exclusively(files)).toEqual([])
          expect(yield* store.exclusively(files)).toEqual([])
        })
      )
  )
})

describe("The lock of a killed program", () => {
  // fault: Store | A stale lock of a killed program | a wait of five seconds
  it.effect.each<[string, string]>([
    ["with an owner", "somebody"],
    ["without an owner", ""]
  ])("%s is broken after five seconds without a heartbeat", ([, content]) =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${file}.lock`, content)
        const next = yield* Effect.fork((yield* open()).exclusively(files))
        expect(yield* pass(next, { seconds: 4.5 })).toBe(false)
        expect(yield* fs.readFileString(`${file}.lock`)).toBe(content)
        yield* pass(next, { seconds: 2 })
        expect(yield* ended(next)).toEqual(["credentials.json.lock"])
        expect(yield* files).toEqual([])
      })
    )
  )

  // fault: Store | A second program is killed while it breaks a stale lock | a longer wait
  it.effect("is broken even if another program was killed while it broke the lock", () =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${file}.lock`, "somebody")
        yield* fs.writeFileString(`${file}.lock.takeover`, "somebody")
        const next = yield* Effect.fork((yield* open()).exclusively(Effect.succeed("in")))
        expect(yield* pass(next, { seconds: 9 })).toBe(false)
        yield* pass(next, { seconds: 4 })
        expect(yield* ended(next)).toBe("in")
        expect(yield* files).toEqual([])
      })
    )
  )
})

describe("A stale lock that cannot be read", () => {
  // fault: Store | A stale lock that this user cannot read, as after `sudo`, or that is a pipe | a wait of five seconds
  it.effect("is broken after five seconds without a heartbeat", () =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${file}.lock`, "root's")
        yield* fs.utimes(`${file}.lock`, 0, 0)
        const disk = failing(fs, { on: ["read"], failure: "permission denied", suffix: ".lock" })
        const next = yield* Effect.fork((yield* open(disk)).exclusively(Effect.succeed("in")))
        expect(yield* pass(next, { seconds: 4.5 })).toBe(false)
        yield* pass(next, { seconds: 2 })
        expect(yield* ended(next)).toBe("in")
      })
    )
  )

  // fault: Store | The lock file is a directory, or a stale lock that this user cannot remove | `TokenStoreError` after a minute, which says what to remove
  it.effect.each<[string, boolean]>([
    ["it is a directory", true],
    ["it belongs to another user in a sticky directory", false]
  ])("fails after a minute and says what to remove if %s", ([, isDirectory]) =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        const path = `${file}.lock`
        yield* isDirectory ? fs.makeDirectory(path) : fs.writeFileString(path, "somebody")
        const failure = "an operation that is not permitted"
        const disk = failing(fs, { on: ["remove"], failure, suffix: ".json.lock" })
        const next = yield* Effect.fork((yield* open(disk)).exclusively(Effect.succeed("in")))
        expect(yield* pass(next, { seconds: 59, step: 1 })).toBe(false)
        yield* pass(next, { seconds: 4, step: 1 })
        const error = yield* Effect.flip(ended(next))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "lock", path: file })
        expect(error.message).toContain(`If no such process runs, remove ${path}.`)
        expect(yield* fs.exists(path)).toBe(true)
      })
    )
  )
})

describe("The lock of a running program", () => {
  // fault: Store | A lock that is never released | `TokenStoreError`
  it.effect("is never broken, and a waiting program fails after a minute", () =>
    onDisk(({ file, files, open }) =>
      Effect.gen(function* () {
        const holder = yield* holdLock(yield* open())
        const next = yield* Effect.fork((yield* open()).exclusively(Effect.succeed("in")))
        expect(yield* pass(next, { seconds: 59, sleepers: 2, step: 1 })).toBe(false)
        yield* pass(next, { seconds: 4, sleepers: 2, step: 1 })
        const error = yield* Effect.flip(ended(next))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "lock", path: file })
        expect(error.message).toContain("another process has held its lock for a minute")
        expect(yield* files).toEqual(["credentials.json.lock"])
        yield* Fiber.interrupt(holder)
        expect(yield* files).toEqual([])
      })
    )
  )

  // fault: Store | A program ends while it renews a token, and another waits | nothing
  it.effect("is held until its owner has finished an uninterruptible effect", () =>
    onDisk(({ files, open }) =>
      Effect.gen(function* () {
        const finish = yield* Deferred.make<boolean>()
        const holder = yield* holdLock(yield* open(), Effect.uninterruptible(Deferred.await(finish)))
        yield* Effect.addFinalizer(() => Deferred.succeed(finish, true))
        yield* Effect.fork(Fiber.interrupt(holder))
        const next = yield* Effect.fork((yield* open()).exclusively(Effect.succeed("in")))
        expect(yield* pass(next, { seconds: 8, sleepers: 2 })).toBe(false)
        yield* Deferred.succeed(finish, true)
        yield* Fiber.await(holder)
        yield* pass(next, { seconds: 1 })
        expect(yield* ended(next)).toBe("in")
        expect(yield* files).toEqual([])
      }).pipe(Effect.scoped)
    )
  )

  // fault: Store | A sign-out in a finalizer | nothing
  it.effect("is released in an uninterruptible region, as in a finalizer", () =>
    onDisk(({ files, open }) =>
      Effect.gen(function* () {
        const store = yield* open()
        const holder = yield* Effect.forkDaemon(Effect.uninterruptible(store.exclusively(Effect.succeed("in"))))
        expect(yield* ended(holder)).toBe("in")
        expect(yield* files).toEqual([])
      })
    )
  )

  // fault: Store | A sign-out in a finalizer while another program holds the lock | a wait
  it.effect("is awaited in a finalizer", () =>
    onDisk(({ files, open }) =>
      Effect.gen(function* () {
        const holder = yield* holdLock(yield* open())
        const store = yield* open()
        const next = yield* Effect.forkDaemon(
          Effect.ensuring(Effect.yieldNow(), Effect.ignore(store.exclusively(Effect.asVoid(files))))
        )
        yield* Effect.fork(Fiber.interrupt(next))
        expect(yield* pass(next, { seconds: 3, sleepers: 2 })).toBe(false)
        yield* Fiber.interrupt(holder)
        yield* pass(next, { seconds: 1 })
        yield* Fiber.await(next)
        expect(yield* files).toEqual([])
      })
    )
  )

  it.effect("is released when its owner is interrupted", () =>
    onDisk(({ files, open }) =>
      Effect.gen(function* () {
        const holder = yield* holdLock(yield* open())
        expect(yield* files).toEqual(["credentials.json.lock"])
        yield* Fiber.interrupt(holder)
        expect(yield* files).toEqual([])
        expect(yield* (yield* open()).exclusively(Effect.succeed("in"))).toBe("in")
      })
    )
  )

  it.effect("is released when its owner fails or dies", () =>
    onDisk(({ files, open }) =>
      Effect.gen(function* () {
        const store = yield* open()
        yield* Effect.exit(store.exclusively(Effect.fail("no")))
        yield* Effect.exit(store.exclusively(Effect.die("no")))
        expect(yield* files).toEqual([])
      })
    )
  )

  it.effect("is kept when a waiting program is interrupted", () =>
    onDisk(({ files, open }) =>
      Effect.gen(function* () {
        const holder = yield* holdLock(yield* open())
        const next = yield* Effect.fork((yield* open()).exclusively(Effect.void))
        expect(yield* pass(next, { seconds: 2, sleepers: 2 })).toBe(false)
        yield* Fiber.interrupt(next)
        expect(yield* files).toEqual(["credentials.json.lock"])
        yield* Fiber.interrupt(holder)
        expect(yield* files).toEqual([])
      })
    )
  )
})
