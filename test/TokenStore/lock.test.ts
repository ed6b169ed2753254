import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import type { TokenStore } from "effect-arta"
import { failing, type Failure, failures, passingFailures, type Step } from "../support/failingDisk.js"
import { onDisk } from "../support/onDisk.js"
import { ended, pass } from "../support/virtualTime.js"

const kinds = Object.keys(failures) as ReadonlyArray<keyof typeof failures>

/** Starts a fiber that holds the lock until `work` ends or the fiber is interrupted. */
const holdLock = (store: TokenStore.Service, work: Effect.Effect<unknown> = Effect.never) =>
  Effect.gen(function* () {
    const entered = yield* Deferred.make<boolean>()
    const holder = yield* Effect.fork(store.exclusively(Effect.zipRight(Deferred.succeed(entered, true), work)))
    yield* Deferred.await(entered)
    return holder
  })

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

describe("A lock file that cannot be created for a moment", () => {
  const passing = Object.keys(passingFailures) as ReadonlyArray<keyof typeof passingFailures>

  // fault: Store | Too many open files, EPERM, EBUSY or EAGAIN at the lock file | a wait, never without the lock
  it.effect.each([...passing])("because of %s is created once that is over", (failure) =>
    onDisk(({ files, fs, open }) =>
      Effect.gen(function* () {
        let isOver = false
        const broken = failing(fs, { on: ["open"], failure, suffix: ".lock" })
        const disk: typeof fs = {
          ...fs,
          open: (path, options) => Effect.suspend(() => (isOver ? fs : broken).open(path, options))
        }
        const waiting = yield* Effect.fork((yield* open(disk)).exclusively(files))
        expect(yield* pass(waiting, { seconds: 50 })).toBe(false)
        isOver = true
        yield* pass(waiting, { seconds: 1 })
        expect(yield* ended(waiting)).toEqual(["credentials.json.lock"])
        expect(yield* files).toEqual([])
      })
    )
  )

  it.effect.each([...passing])("because of %s is awaited for a minute", (failure) =>
    onDisk(({ file, fs, open }) =>
      Effect.gen(function* () {
        const disk = failing(fs, { on: ["open"], failure, suffix: ".lock" })
        const waiting = yield* Effect.fork((yield* open(disk)).exclusively(Effect.succeed("in")))
        yield* pass(waiting, { seconds: 61, step: 1 })
        const error = yield* Effect.flip(ended(waiting))
        expect(error).toMatchObject({ _tag: "TokenStoreError", operation: "lock", path: file })
        expect(error.message).toContain(passingFailures[failure].description)
      })
    )
  )

  it.effect.each<[string, Failure]>([
    ["too many files are open", "too many open files"],
    ["it belongs to another user", "permission denied"]
  ])("is awaited like any other lock if it exists but cannot be read: %s", ([, failure]) =>
    onDisk(({ file, files, fs, open }) =>
      Effect.gen(function* () {
        const holder = yield* holdLock(yield* open())
        const disk = failing(fs, { on: ["read"], failure, suffix: ".lock" })
        const waiting = yield* Effect.fork((yield* open(disk)).exclusively(Effect.succeed("in")))
        yield* pass(waiting, { seconds: 62, sleepers: 2, step: 1 })
        expect(yield* Effect.flip(ended(waiting))).toMatchObject({ operation: "lock", path: file })
        yield* Fiber.interrupt(holder)
        expect(yield* files).toEqual([])
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
