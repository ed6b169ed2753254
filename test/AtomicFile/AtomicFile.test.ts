import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { AtomicFile } from "effect-arta"
import { failing, failures, type Step } from "../support/failingDisk.js"

const inDirectory = <A, E, R>(test: (fs: FileSystem.FileSystem, directory: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* test(fs, yield* fs.makeTempDirectoryScoped())
  }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

describe("AtomicFile.readIfExists", () => {
  it.effect("reads a file, and gives nothing for one that does not exist", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(`${directory}/a.txt`, "text")
        expect(yield* AtomicFile.readIfExists(`${directory}/a.txt`)).toBe("text")
        expect(yield* AtomicFile.readIfExists(`${directory}/b.txt`)).toBeUndefined()
        expect(yield* Effect.flip(AtomicFile.readIfExists(directory))).toMatchObject({ reason: "BadResource" })
      })
    )
  )
})

describe("AtomicFile.write", () => {
  it.effect("creates and replaces a file, with the permissions that it is given", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const file = `${directory}/a.txt`
        yield* AtomicFile.write(file, "first")
        yield* AtomicFile.write(file, "second", { mode: 0o600 })
        expect(yield* fs.readFileString(file)).toBe("second")
        expect((yield* fs.stat(file)).mode & 0o777).toBe(0o600)
        expect(yield* fs.readDirectory(directory)).toEqual(["a.txt"])
      })
    )
  )

  const steps: ReadonlyArray<Step> = ["open", "write", "sync", "rename"]
  const kinds = Object.keys(failures) as ReadonlyArray<keyof typeof failures>

  it.effect.each(kinds.flatMap((failure) => steps.map((step): [typeof failure, Step] => [failure, step])))(
    "keeps the old file and nothing else after %s at the step %s",
    ([failure, step]) =>
      inDirectory((fs, directory) =>
        Effect.gen(function* () {
          const file = `${directory}/a.txt`
          yield* AtomicFile.write(file, "old")
          const written = AtomicFile.write(file, "new").pipe(
            Effect.provideService(FileSystem.FileSystem, failing(fs, { on: [step], failure }))
          )
          expect(yield* Effect.flip(written)).toMatchObject({ reason: failures[failure].reason })
          expect(yield* fs.readFileString(file)).toBe("old")
          expect(yield* fs.readDirectory(directory)).toEqual(["a.txt"])
        })
      )
  )
})

describe("AtomicFile.write, next to temporary files of other writers", () => {
  // fault: Process | A program is killed while it writes a file | The next write removes its temporary file after ten minutes, and never that of a living writer
  it.effect("removes those that are more than ten minutes old, and nothing else", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const now = Date.now() / 1_000
        const ages = {
          ".effect-arta.1.tmp": 11 * 60,
          ".effect-arta.2.tmp": 9 * 60,
          ".effect-arta.3.tmp": 0,
          "mine.tmp": 11 * 60
        }
        yield* Effect.forEach(Object.entries(ages), ([name, age]) =>
          Effect.zipRight(
            fs.writeFileString(`${directory}/${name}`, "half"),
            fs.utimes(`${directory}/${name}`, now - age, now - age)
          )
        )
        yield* AtomicFile.write(`${directory}/a.txt`, "text")
        const left = [".effect-arta.2.tmp", ".effect-arta.3.tmp", "a.txt", "mine.tmp"]
        expect((yield* fs.readDirectory(directory)).sort()).toEqual(left)
      })
    )
  )
})

describe("AtomicFile.temporaryFile", () => {
  it.effect("names an unused file, and removes what is left of it", () =>
    inDirectory((fs, directory) =>
      Effect.gen(function* () {
        const useTwo = Effect.gen(function* () {
          const one = yield* AtomicFile.temporaryFile(directory)
          const other = yield* AtomicFile.temporaryFile(directory)
          yield* fs.writeFileString(one, "half")
          yield* fs.writeFileString(other, "complete")
          yield* fs.rename(other, `${directory}/b.txt`)
          return yield* fs.readDirectory(directory)
        })
        expect(yield* Effect.scoped(useTwo)).toHaveLength(2)
        expect(yield* fs.readDirectory(directory)).toEqual(["b.txt"])
      })
    )
  )
})
