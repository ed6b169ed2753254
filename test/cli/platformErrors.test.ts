import { Error } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { ArtaError, Generation } from "effect-arta"
import { exitCodeOfFailure, explain } from "../../src/cli/shared/errors.js"
import { command, started } from "../support/command.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"

const cases = [
  { code: "ENOSPC", says: "The disk is full: P. Free space, then" },
  { code: "EDQUOT", says: "Your disk quota is used up: P. Free space, or" },
  { code: "EACCES", says: "Permission denied: P. Change the permissions, or" },
  { code: "EPERM", says: "Permission denied: P. Change the permissions, or" },
  { code: "EROFS", says: "The disk is read-only: P. Choose another directory, then" },
  {
    code: "EMFILE",
    says: "This command has too many open files: P. Raise the limit, for example with ulimit -n 4096, then"
  },
  { code: "ENOTDIR", says: "A part of this path is a file, not a directory: P. Choose another path, then" },
  { code: "EISDIR", says: "This is a directory, not a file: P. Choose a file, then" },
  { code: "ENAMETOOLONG", says: "The path is too long: P. Choose a shorter one, then" },
  { code: "ENOENT", says: "There is no such file or directory: P. Correct the path, then" },
  { code: "EIO", says: "The disk reports an error: P. Check the disk, then" }
]

const path = "images/effect-arta.jsonl"

const systemError = (code: string, at: string | number = path) =>
  new Error.SystemError({
    module: "FileSystem",
    method: "open",
    reason: "Unknown",
    pathOrDescriptor: at,
    description: `${code}: some words of the system, open '${String(at)}'`
  })

describe("A failure of a disk", () => {
  // fault: Process | A disk that is full, read-only, or denies access | a sentence that names the path and what to do
  it.each(cases)("$code is a sentence with the path and what to do", ({ code, says }) => {
    const sentence = says.replace("P.", `${path}.`)
    expect(explain(systemError(code))).toContain(sentence)
    expect(explain(systemError(code))).toMatch(/ run the same command again\.$/)
  })

  it("of an unknown kind says what the system said", () => {
    expect(explain(systemError("EWEIRD"))).toContain(`EWEIRD: some words of the system`)
  })

  it.each([
    { error: { reason: "NotFound" }, says: "There is no such file or directory: P. Correct the path, then" },
    { error: { reason: "PermissionDenied", description: "no" }, says: "Permission denied: P. Change the permissions" },
    {
      error: { reason: "TimedOut", description: "too\nlate" },
      says: "A file operation failed (too\\u000alate): P. Correct that"
    }
  ] as const)("without a code of the system is explained as well as it can be: $error", ({ error, says }) => {
    const failure = new Error.SystemError({ module: "FileSystem", method: "open", pathOrDescriptor: path, ...error })
    expect(explain(failure)).toContain(says.replace("P.", `${path}.`))
  })

  it("of an argument says what is wrong", () => {
    const failure = new Error.BadArgument({ module: "FileSystem", method: "open", description: "odd flags" })
    expect(explain(failure)).toBe("A file operation failed (odd flags). Correct that, then run the same command again.")
    expect(explain(new Error.BadArgument({ module: "FileSystem", method: "open" }))).toMatch(
      /^A file operation failed \(\S/
    )
  })

  it("names no descriptor, and shows control characters of a path", () => {
    expect(explain(systemError("ENOSPC", 17))).toBe("The disk is full. Free space, then run the same command again.")
    expect(explain(systemError("ENOENT", "a\n\u001b[2J"))).toContain("directory: a\\u000a\\u001b[2J. Correct")
  })

  it("while an image is saved names the command that gets the image", () => {
    const failure = new ArtaError.DownloadError({
      url: "https://images.test/1.png",
      path: "images",
      reason: systemError("ENOSPC").message,
      recordId: Generation.RecordId.make("record-1")
    })
    expect(explain(failure, Option.some(["-o", "images"]))).toBe(
      "The disk is full: images. Free space, then get the images of the accepted generation record-1:\n" +
        "effect-arta watch record-1 -o images"
    )
    expect(explain(failure)).toBe("The disk is full: images. Free space, then run the same command again.")
    expect(exitCodeOfFailure(failure)).toBe(3)
  })

  it("is not that of a network", () => {
    const failure = new ArtaError.DownloadError({
      url: "https://images.test/1.png",
      reason: systemError("EPERM").message
    })
    expect(explain(failure)).toBe(failure.message)
    expect(exitCodeOfFailure(failure)).toBe(5)
  })

  it("while the session is saved names its file", () => {
    const failure = new ArtaError.TokenStoreError({
      operation: "save",
      path: "/home/me/credentials.json",
      reason: systemError("EACCES").message
    })
    expect(explain(failure)).toMatch(/^Permission denied: \/home\/me\/credentials\.json\. .* again\.$/)
  })
})

describe.concurrent("The command on a disk that fails", { timeout }, () => {
  it.scopedLive("says how to get the images if the directory fails after the submission", () =>
    Effect.gen(function* () {
      const { env, fs, images } = yield* setUp
      const child = yield* started(["generate", "a fox", "--seed", "7", "-o", images], { env })
      yield* child.wrote(/submitted/)
      yield* fs.remove(images, { recursive: true })
      yield* fs.writeFileString(images, "a file")
      const { code, stderr } = yield* child.ended
      expect(stderr).not.toMatch(/FileSystem|SystemError/)
      const resume = /^effect-arta (watch record-\w+ -o \S+)$/m.exec(stderr)?.[1] ?? stderr
      expect(code).toBe(3)

      yield* fs.remove(images)
      const resumed = yield* command(resume.split(" "), { env })
      expect(resumed.code).toBe(0)
    }).pipe(onPort({ drawTime: "1 second" }))
  )
})
