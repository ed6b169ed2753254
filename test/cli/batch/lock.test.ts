import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { spawn } from "node:child_process"
import { hostname } from "node:os"
import { lockDirectory } from "../../../src/cli/command/batch/lock.js"
import { ended, pass } from "../../support/virtualTime.js"

const world = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  const file = `${directory}/.effect-arta.lock`
  /** Leaves a lock behind, with this process's own line changed by `change`. */
  const leave = (change: (owner: string) => string) =>
    Effect.gen(function* () {
      const content = yield* Effect.scoped(Effect.zipRight(lockDirectory(directory), fs.readFileString(file)))
      yield* fs.writeFileString(file, content.replace(/.*/, change).replace(/\n.*/, "\n12345"))
      // The clock forgets the interrupted heartbeat, which `pass` would take for a sleeping waiter.
      yield* TestClock.adjust("2 seconds")
    })
  return { fs, directory, file, leave }
})

const inWorld = <A, E, R>(test: (given: Effect.Effect.Success<typeof world>) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(world, test).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

/** A process id that no process has. */
const deadPid = 2 ** 22 + 1

const withPid = (pid: number) => (owner: string) => owner.replace(/^\d+/, String(pid))
const fromHost = (host: string) => (owner: string) => owner.replace(hostname(), host)
const fromContainer = (owner: string) => owner.replace(/pid:\[\d+\]/, "pid:[1]")
const fromOtherBoot = (owner: string) => owner.replace(/\([^/]+/, "(another-boot")
const startedEarlier = (owner: string) => owner.replace(/\d+\)$/, "1)")

describe("The lock of a batch", () => {
  it.effect("is given back at the end", () =>
    inWorld(({ directory, file, fs }) =>
      Effect.gen(function* () {
        yield* Effect.scoped(Effect.zipRight(lockDirectory(directory), fs.exists(file)))
        expect(yield* fs.exists(file)).toBe(false)
        yield* Effect.scoped(lockDirectory(directory))
      })
    )
  )

  // fault: Process | Another batch runs in the same directory | The second one refuses, names the process and the lock file
  it.effect("keeps out a second batch at once while the first one runs", () =>
    inWorld(({ directory, file }) =>
      Effect.gen(function* () {
        yield* lockDirectory(directory)
        const { message } = yield* Effect.flip(Effect.scoped(lockDirectory(directory)))
        expect(message).toContain(`(process ${String(process.pid)} on ${hostname()}) is running in ${directory}`)
        expect(message).toContain(`remove ${file}.`)
      })
    )
  )

  it.effect.each([
    ["has ended", withPid(deadPid)],
    ["has ended, and another process has its process id", startedEarlier]
  ] as const)("is taken over at once from a batch that %s", ([, change]) =>
    inWorld(({ directory, file, fs, leave }) =>
      Effect.gen(function* () {
        yield* leave(change)
        const taking = yield* Effect.fork(
          Effect.scoped(Effect.zipRight(lockDirectory(directory), fs.readFileString(file)))
        )
        yield* pass(taking, { seconds: 1 })
        expect(yield* ended(taking)).toMatch(new RegExp(`^${String(process.pid)} on `))
      })
    )
  )

  // fault: Process | A batch was killed in a container that keeps its process as a zombie | The next one takes the lock over at once
  it.effect.skipIf(process.platform !== "linux")("is taken over at once from a batch whose process is a zombie", () =>
    inWorld(({ directory, fs, leave }) =>
      Effect.gen(function* () {
        // The name of its program has a parenthesis. Its parent does not read how it ended.
        const parent = yield* Effect.acquireRelease(
          Effect.sync(() => spawn("sh", ["-c", "sh -c 'printf \"a) b\" > /proc/$$/comm; echo $$' & exec sleep 600"])),
          (running) => Effect.sync(() => running.kill("SIGKILL"))
        )
        const pid = yield* Effect.async<number>((resume) => {
          parent.stdout.once("data", (data: Buffer) => {
            resume(Effect.succeed(Number(data)))
          })
        })
        const stat = yield* fs
          .readFileString(`/proc/${String(pid)}/stat`)
          .pipe(Effect.repeat({ until: (stat) => stat.includes(") Z ") }))
        const startedAt = stat.slice(stat.lastIndexOf(")")).split(" ")[20] ?? ""
        yield* leave((owner) => withPid(pid)(owner).replace(/\d+\)$/, `${startedAt})`))
        const taking = yield* Effect.fork(Effect.scoped(lockDirectory(directory)))
        yield* pass(taking, { seconds: 1 })
        yield* ended(taking)
      })
    )
  )

  it.effect.each([
    ["whose start is unknown", (owner: string) => owner.replace(/ \d+\)$/, ")")],
    ["that started when this process did", (owner: string) => owner],
    ["whose line nobody can read", () => "not a process"]
  ] as const)("is not taken over from a batch %s", ([, change]) =>
    inWorld(({ directory, leave }) =>
      Effect.gen(function* () {
        yield* leave(change)
        const waiting = yield* Effect.fork(Effect.flip(Effect.scoped(lockDirectory(directory))))
        yield* pass(waiting, { seconds: 1 })
        expect((yield* ended(waiting)).message).toContain("is running in")
      })
    )
  )

  // fault: Process | A batch on another machine holds the lock, silent or not | The second one refuses
  it.effect("is never taken over from another machine, whatever runs here under that process id", () =>
    inWorld(({ directory, file, fs, leave }) =>
      Effect.gen(function* () {
        yield* leave((owner) => fromOtherBoot(fromHost("another-machine")(withPid(deadPid)(owner))))
        const before = yield* fs.readFileString(file)
        const { message } = yield* Effect.flip(Effect.scoped(lockDirectory(directory)))
        expect(message).toContain(`(process ${String(deadPid)} on another-machine) is running`)
        expect(yield* fs.readFileString(file)).toBe(before)
      })
    )
  )

  // fault: Process | A batch in another container with the same host name holds the lock | The second one refuses while that batch touches the lock, whatever the process ids
  it.effect.each([
    ["a container with the same host name", (owner: string) => fromContainer(withPid(deadPid)(owner))],
    ["a container with the same process id", fromContainer],
    ["a container with another host name", (owner: string) => fromContainer(fromHost("container")(owner))],
    ["an earlier start of this machine", fromOtherBoot],
    ["an earlier version on this host", () => `${String(deadPid)} on ${hostname()}`]
  ] as const)("of %s is taken over only after 15 seconds of silence", ([, change]) =>
    inWorld(({ directory, file, fs, leave }) =>
      Effect.gen(function* () {
        yield* leave(change)
        const waiting = yield* Effect.fork(Effect.flip(Effect.scoped(lockDirectory(directory))))
        expect(yield* pass(waiting, { seconds: 13 })).toBe(false)
        yield* fs.utimes(file, 1, 1)
        yield* pass(waiting, { seconds: 2 })
        expect((yield* ended(waiting)).message).toContain("is running in")

        const taking = yield* Effect.fork(
          Effect.scoped(Effect.zipRight(lockDirectory(directory), fs.readFileString(file)))
        )
        expect(yield* pass(taking, { seconds: 14 })).toBe(false)
        yield* pass(taking, { seconds: 3 })
        expect(yield* ended(taking)).toMatch(new RegExp(`^${String(process.pid)} on ${hostname()}`))
      })
    )
  )

  it.effect("can be given up on while it waits", () =>
    inWorld(({ directory, leave }) =>
      Effect.gen(function* () {
        yield* leave(fromContainer)
        const waiting = yield* Effect.fork(Effect.scoped(lockDirectory(directory)))
        yield* pass(waiting, { seconds: 2 })
        yield* Fiber.interrupt(waiting)
      })
    )
  )

  it.effect("tells a batch that was suspended that another one has taken over", () =>
    inWorld(({ directory, file, fs }) =>
      Effect.gen(function* () {
        const { ensureHeld } = yield* lockDirectory(directory)
        yield* ensureHeld
        yield* fs.writeFileString(file, "1 on another-machine\n9")
        yield* TestClock.adjust("2 seconds")
        expect((yield* Effect.flip(ensureHeld)).message).toContain(`${file}, was removed or taken over`)
        yield* fs.remove(file)
        yield* TestClock.adjust("2 seconds")
        expect((yield* Effect.flip(ensureHeld)).message).toContain("no row is sent twice")
      })
    )
  )
})
