import { Error, FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option, TestClock } from "effect"
import { FileLock } from "effect-arta"
import { failing, type Step } from "../support/failingDisk.js"
import { ended, eventually, pass } from "../support/virtualTime.js"

const inDirectory = <A, E, R>(test: (fs: FileSystem.FileSystem, file: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* test(fs, `${yield* fs.makeTempDirectoryScoped()}/the.lock`)
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

describe("A file lock with an owner", () => {
  it.effect("shows the owner to a process that does not wait, and is removed with its scope", () =>
    inDirectory((fs, file) =>
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          yield* FileLock.acquire(file, { timeout: 0, owner: "batch 7" })
          const other = FileLock.acquire(file, { timeout: 0, hasEnded: () => Effect.succeed(false) })
          const error = yield* Effect.flip(Effect.scoped(other))
          expect(error).toMatchObject({ _tag: "FileLockHeldError", file, owner: "batch 7" })
          expect(error.message).toContain(`holds the lock ${file}`)
        }).pipe(Effect.scoped)
        expect(yield* fs.exists(file)).toBe(false)
      })
    )
  )

  it.effect("is taken over without a wait when that owner has ended, and not by its silence alone", () =>
    inDirectory((fs, file) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, "batch 7")
        const acquire = (hasEnded: boolean) =>
          FileLock.acquire(file, {
            timeout: "20 seconds",
            owner: "batch 8",
            hasEnded: (owner) => Effect.succeed(owner === "batch 7" && hasEnded)
          }).pipe(Effect.zipRight(fs.readFileString(file)), Effect.scoped)

        const waiting = yield* Effect.fork(acquire(false))
        expect(yield* pass(waiting, { seconds: 19 })).toBe(false)
        yield* pass(waiting, { seconds: 2 })
        expect(yield* Effect.flip(ended(waiting))).toMatchObject({ owner: "batch 7" })

        const next = yield* Effect.fork(acquire(true))
        yield* pass(next, { seconds: 1 })
        expect(yield* ended(next)).toMatch(/^batch 8\n/)
        expect(yield* fs.exists(file)).toBe(false)
      })
    )
  )

  it.effect("fails with the disk's own error when the file cannot be created", () =>
    inDirectory((fs, file) =>
      Effect.gen(function* () {
        const disk = failing(fs, { on: ["open"], failure: "permission denied" })
        const error = yield* FileLock.acquire(file, { timeout: "1 minute" }).pipe(
          Effect.scoped,
          Effect.flip,
          Effect.provideService(FileSystem.FileSystem, disk)
        )
        expect(error).toMatchObject({ _tag: "SystemError", reason: "PermissionDenied" })
      })
    )
  )

  it.effect("counts as held if the file cannot be inspected", () =>
    inDirectory((fs, file) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, "batch 7")
        const blind = {
          ...fs,
          stat: (path: string) =>
            new Error.SystemError({
              module: "FileSystem",
              method: "stat",
              pathOrDescriptor: path,
              reason: "PermissionDenied"
            })
        }
        const error = yield* FileLock.acquire(file, { timeout: 0 }).pipe(
          Effect.scoped,
          Effect.flip,
          Effect.provideService(FileSystem.FileSystem, blind)
        )
        expect(error).toMatchObject({ _tag: "FileLockHeldError", owner: "unreadable" })
        expect(yield* fs.readFileString(file)).toBe("batch 7")
      })
    )
  )

  it.effect("touches the file once a second", () =>
    inDirectory((fs, file) =>
      Effect.gen(function* () {
        const tenMinutes = 600_000
        yield* TestClock.setTime(tenMinutes)
        yield* FileLock.acquire(file, { timeout: 0 })
        const touchedAt = Effect.map(fs.stat(file), ({ mtime }) => Option.getOrThrow(mtime).getTime())
        yield* eventually(Effect.map(touchedAt, (time) => time === tenMinutes))
        yield* TestClock.adjust("1 second")
        yield* eventually(Effect.map(touchedAt, (time) => time === tenMinutes + 1_000))
      })
    )
  )

  it.effect("waits for the holder, and acquires the lock when the holder releases it", () =>
    inDirectory((_, file) =>
      Effect.gen(function* () {
        const holder = yield* Effect.fork(
          Effect.scoped(Effect.zipRight(FileLock.acquire(file, { timeout: 0 }), Effect.never))
        )
        yield* Effect.repeat(Effect.yieldNow(), { times: 100 })
        const next = yield* Effect.fork(Effect.scoped(FileLock.acquire(file, { timeout: "1 minute" })))
        expect(yield* pass(next, { seconds: 20, sleepers: 2 })).toBe(false)
        yield* Fiber.interrupt(holder)
        yield* pass(next, { seconds: 1 })
        yield* ended(next)
      })
    )
  )

  it.effect(
    "is held until another process takes it over or removes it, and then leaves that process's lock alone",
    () =>
      inDirectory((fs, file) =>
        Effect.gen(function* () {
          yield* Effect.gen(function* () {
            const lock = yield* FileLock.acquire(file, { timeout: 0 })
            expect(yield* lock.isHeld).toBe(true)
            yield* fs.remove(file)
            expect(yield* lock.isHeld).toBe(false)
            yield* fs.writeFileString(file, "another process")
            expect(yield* lock.isHeld).toBe(false)
          }).pipe(Effect.scoped)
          expect(yield* fs.readFileString(file)).toBe("another process")
        })
      )
  )

  it.effect("shows no owner to others if it has none", () =>
    inDirectory((_, file) =>
      Effect.gen(function* () {
        yield* FileLock.acquire(file, { timeout: 0 })
        const error = yield* Effect.flip(FileLock.acquire(file, { timeout: 0 }))
        expect(error).toMatchObject({ _tag: "FileLockHeldError", owner: expect.stringMatching(/^\d+$/) as string })
      })
    )
  )

  it.effect("does not belong to a process that has not yet written its owner, until five seconds have passed", () =>
    inDirectory((fs, file) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, "")
        const lock = FileLock.acquire(file, { timeout: "1 second", owner: "us", hasEnded: () => Effect.succeed(true) })
        const next = yield* Effect.fork(Effect.scoped(Effect.zipRight(lock, fs.readFileString(file))))
        expect(yield* pass(next, { seconds: 4.5 })).toBe(false)
        yield* pass(next, { seconds: 2 })
        expect(yield* ended(next)).toMatch(/^us\n/)
      })
    )
  )

  it.effect("is not taken over from a process that took it within five seconds, whatever time its disk shows", () =>
    inDirectory((fs, file) =>
      Effect.gen(function* () {
        const take = (owner: string) => Effect.zipRight(fs.writeFileString(file, owner), fs.utimes(file, 7, 7))
        yield* take("one")
        const next = yield* Effect.fork(Effect.scoped(FileLock.acquire(file, { timeout: "1 minute" })))
        expect(yield* pass(next, { seconds: 4 })).toBe(false)
        yield* take("two")
        expect(yield* pass(next, { seconds: 4 })).toBe(false)
        yield* pass(next, { seconds: 2 })
        yield* ended(next)
      })
    )
  )

  it.effect.each<readonly [string, Step, ReadonlyArray<string>]>([
    ["created", "open", []],
    ["read", "read", ["another process"]]
  ])("is awaited until the timeout if the file cannot be %s for a moment", ([, step, found]) =>
    inDirectory((fs, file) =>
      Effect.gen(function* () {
        yield* Effect.forEach(found, (content) => fs.writeFileString(file, content))
        const disk = failing(fs, { on: [step], failure: "too many open files" })
        let isOver = false
        const unsteady: typeof fs = {
          ...disk,
          open: (path, options) => Effect.suspend(() => (isOver ? fs : disk).open(path, options))
        }
        const lock = Effect.scoped(FileLock.acquire(file, { timeout: "2 seconds" })).pipe(
          Effect.provideService(FileSystem.FileSystem, unsteady)
        )
        const failed = yield* Effect.fork(lock)
        expect(yield* pass(failed, { seconds: 1.5 })).toBe(false)
        yield* pass(failed, { seconds: 1 })
        const error = yield* Effect.flip(ended(failed))
        expect(error._tag).toBe(step === "open" ? "SystemError" : "FileLockHeldError")

        const next = yield* Effect.fork(lock)
        expect(yield* pass(next, { seconds: 1 })).toBe(false)
        isOver = true
        yield* fs.remove(file, { force: true })
        yield* pass(next, { seconds: 1 })
        yield* ended(next)
      })
    )
  )
})
