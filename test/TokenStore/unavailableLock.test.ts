import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { failing, type Failure, passingFailures } from "../support/failingDisk.js"
import { holdLock } from "../support/holdLock.js"
import { onDisk } from "../support/onDisk.js"
import { ended, pass } from "../support/virtualTime.js"

// A minute of virtual time in steps of a second, on a real disk.
describe("A lock file that cannot be created for a moment", { timeout: 60_000 }, () => {
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
        expect(yield* pass(waiting, { seconds: 50, step: 1 })).toBe(false)
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
