import { Error, FileSystem } from "@effect/platform"
import { Effect } from "effect"

/** The steps of reading and writing a file that can fail. */
export type Step = "read" | "makeDirectory" | "open" | "write" | "sync" | "link" | "rename" | "remove"

/** How Effect reports ENOSPC, EDQUOT, EACCES, and EROFS of Node. */
export const failures = {
  "no space left": { reason: "Unknown", description: "ENOSPC: no space left on device" },
  "an exhausted quota": { reason: "Unknown", description: "EDQUOT: disk quota exceeded" },
  "permission denied": { reason: "PermissionDenied", description: "EACCES: permission denied" },
  "a read-only disk": { reason: "Unknown", description: "EROFS: read-only file system" }
} as const

/** How Effect reports EMFILE, EPERM, EBUSY, and EAGAIN of Node. They may pass. */
export const passingFailures = {
  "too many open files": { reason: "Unknown", description: "EMFILE: too many open files" },
  "an operation that is not permitted": { reason: "Unknown", description: "EPERM: operation not permitted" },
  "a busy file": { reason: "Busy", description: "EBUSY: resource busy or locked" },
  "a lack of resources": { reason: "Unknown", description: "EAGAIN: resource temporarily unavailable" }
} as const

const allFailures = { ...failures, ...passingFailures }

export type Failure = keyof typeof allFailures

interface Fault {
  readonly on: ReadonlyArray<Step>
  readonly failure: Failure
  /** Only paths with this suffix fail. Default: all paths. */
  readonly suffix?: string
}

/** A file system that fails at the given steps. A failing write writes the first half. */
export const failing = (fs: FileSystem.FileSystem, { failure, on, suffix = "" }: Fault): FileSystem.FileSystem => {
  const fails = (step: Step, path: string) => on.includes(step) && path.endsWith(suffix)

  const error = (method: Step, path: string) =>
    new Error.SystemError({ module: "FileSystem", method, pathOrDescriptor: path, ...allFailures[failure] })

  const or = <A, R>(step: Step, path: string, effect: Effect.Effect<A, Error.PlatformError, R>) =>
    Effect.suspend(() => (fails(step, path) ? Effect.fail(error(step, path)) : effect))

  const half = (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2)

  const failingFile = (file: FileSystem.File, path: string): FileSystem.File => ({
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    fd: file.fd,
    stat: file.stat,
    seek: file.seek.bind(file),
    read: file.read.bind(file),
    readAlloc: file.readAlloc.bind(file),
    truncate: file.truncate.bind(file),
    write: (bytes) => or("write", path, file.write(bytes)),
    sync: or("sync", path, file.sync),
    writeAll: (bytes) =>
      fails("write", path)
        ? Effect.zipRight(file.writeAll(half(bytes)), Effect.fail(error("write", path)))
        : file.writeAll(bytes)
  })

  const writeFile: FileSystem.FileSystem["writeFile"] = (path, bytes, options) => {
    if (fails("open", path)) return Effect.fail(error("open", path))
    return fails("write", path)
      ? Effect.zipRight(fs.writeFile(path, half(bytes), options), Effect.fail(error("write", path)))
      : fs.writeFile(path, bytes, options)
  }

  return {
    ...fs,
    readFileString: (path, encoding) => or("read", path, fs.readFileString(path, encoding)),
    makeDirectory: (path, options) => or("makeDirectory", path, fs.makeDirectory(path, options)),
    open: (path, options) =>
      or(
        "open",
        path,
        Effect.map(fs.open(path, options), (file) => failingFile(file, path))
      ),
    link: (from, to) => or("link", to, fs.link(from, to)),
    rename: (from, to) => or("rename", to, fs.rename(from, to)),
    remove: (path, options) => or("remove", path, fs.remove(path, options)),
    writeFile,
    writeFileString: (path, text, options) => writeFile(path, new TextEncoder().encode(text), options)
  }
}
