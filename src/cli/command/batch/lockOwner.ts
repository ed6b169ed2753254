import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hostname } from "node:os"

/** A process, as the lock file names it. */
export interface LockOwner {
  readonly pid: number
  readonly host: string
  /**
   * The boot and the process id namespace: process ids mean the same only within one. None: this system has no such
   * names.
   */
  readonly namespace: Option.Option<string>
  /** When the process started, in ticks since the boot. The system may give the same process id to a later process. */
  readonly startedAt: Option.Option<string>
}

const readLine = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(file)).pipe(
    Effect.map((text) => text.trim()),
    Effect.option
  )

const readLink = (file: string) => Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readLink(file)).pipe(Effect.option)

interface Status {
  readonly hasExited: boolean
  readonly startedAt: Option.Option<string>
}

/** Reads /proc/PID/stat. Its second field, the name of the program, may contain spaces and parentheses. */
const parseStatus = (stat: string): Status => {
  const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  // A container without an init process keeps a process that has exited as a zombie.
  return { hasExited: ["Z", "X"].includes(state), startedAt: Option.fromNullable(fields.at(18)) }
}

/** What /proc says about a process. None if /proc is missing, or shows the processes of another namespace. */
const statusOf = (pid: number) =>
  Effect.gen(function* () {
    const own = yield* readLink("/proc/self")
    if (!Option.contains(own, String(process.pid))) return Option.none()
    return Option.map(yield* readLine(`/proc/${String(pid)}/stat`), parseStatus)
  })

export const thisProcess: Effect.Effect<LockOwner, never, FileSystem.FileSystem> = Effect.gen(function* () {
  const boot = yield* readLine("/proc/sys/kernel/random/boot_id")
  const processes = yield* readLink("/proc/self/ns/pid")
  return {
    pid: process.pid,
    host: hostname(),
    namespace: Option.zipWith(boot, processes, (boot, processes) => `${boot}/${processes}`),
    startedAt: Option.flatMap(yield* statusOf(process.pid), ({ startedAt }) => startedAt)
  }
})

/** `7 on my-laptop (BOOT/NAMESPACE START)`, for the first line of the lock file. */
export const format = ({ host, namespace, pid, startedAt }: LockOwner): string => {
  const details = Option.toArray(namespace).concat(Option.toArray(startedAt))
  return `${String(pid)} on ${host}${details.length === 0 ? "" : ` (${details.join(" ")})`}`
}

/** `7 on my-laptop`, for people. */
export const formatShort = (text: string): string => text.replace(/ \([^)]*\)$/, "")

export const parse = (text: string): Option.Option<LockOwner> =>
  Option.map(
    Option.fromNullable(/^(\d+) on (.+?)(?: \((\S+)(?: (\d+))?\))?$/.exec(text)),
    ([, pid, host = "", namespace, startedAt]) => ({
      pid: Number(pid),
      host,
      namespace: Option.fromNullable(namespace),
      startedAt: Option.fromNullable(startedAt)
    })
  )

const isAlive = (pid: number): Effect.Effect<boolean> =>
  Effect.try(() => process.kill(pid, 0)).pipe(
    Effect.as(true),
    // EPERM: the process exists, but belongs to another user.
    Effect.catchAll(({ error }) => Effect.succeed(error instanceof Error && "code" in error && error.code === "EPERM"))
  )

const isSame = (one: Option.Option<string>, other: Option.Option<string>): boolean =>
  Option.isSome(one) && Option.isSome(other) && one.value === other.value

/** Whether a process of this namespace runs, and not another one with the same process id. */
export const isRunning = ({ pid, startedAt }: LockOwner): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    if (!(yield* isAlive(pid))) return false
    const status = yield* statusOf(pid)
    if (Option.isNone(status) || Option.isNone(startedAt)) return true
    return !status.value.hasExited && isSame(status.value.startedAt, startedAt)
  })

const bootOf = ({ namespace }: LockOwner): Option.Option<string> =>
  Option.map(namespace, (text) => text.slice(0, text.indexOf("/")))

/** Whether process ids mean the same to both. */
export const inSameNamespace = (one: LockOwner, other: LockOwner): boolean => isSame(one.namespace, other.namespace)

/** Whether both are on one machine: in different containers, for example, or before and after a restart. */
export const onSameMachine = (one: LockOwner, other: LockOwner): boolean =>
  one.host === other.host || isSame(bootOf(one), bootOf(other))
