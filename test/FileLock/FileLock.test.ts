import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { FileLock } from "effect-arta"
import { failing } from "../support/failingDisk.js"
import { ended, pass } from "../support/virtualTime.js"

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
})
