import { FileSystem, Path } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, LogLevel } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { inProcess, job, keysIn, lesson, onDisk, run, unlearned } from "../support/durations.js"
import type { Step } from "../support/failingDisk.js"
import { failing } from "../support/failingDisk.js"

/** The messages that a program logs, with their levels. */
const logsOf = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const logs: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      logs.push(`${logLevel.label} ${String(Array.isArray(message) ? message[0] : message)}`)
    })
    return program.pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.Debug),
      Effect.map((result) => ({ logs: [...new Set(logs)], result }))
    )
  })

describe.concurrent("DurationStore.layerFileSystem", () => {
  const ofVersion = (version: unknown, weights: unknown = [[20, 1]]) =>
    JSON.stringify({ version, durations: [{ key: "k", weights }] })

  // fault: Store | The file of durations is damaged | it is replaced
  it.effect.each<[string, string]>([
    ["is empty", ""],
    ["is cut short", ofVersion(1).slice(0, -5)],
    ["is binary", "\u0000\u0001"],
    ["lacks its durations", JSON.stringify({ version: 1 })],
    ["has a negative weight", ofVersion(1, [[20, -1]])],
    ["has an infinite weight", ofVersion(1, [[20, 1]]).replace("[20,1]", "[20,1e999]")],
    [
      "has too much weight",
      ofVersion(1, [
        [20, 90],
        [21, 90]
      ])
    ],
    ["has an unknown bucket", ofVersion(1, [[100, 1]])],
    ["has a key that is not a text", JSON.stringify({ version: 1, durations: [{ key: 1, weights: [] }] })]
  ])("replaces a file that %s", ([, text]) =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, text)
        const { logs, result } = yield* logsOf(inProcess(file, run()))
        expect(result).toEqual(yield* unlearned)
        expect(logs).toEqual([`DEBUG The durations at ${file} are damaged, so they will be replaced.`])
        expect(yield* keysIn(file)).toHaveLength(2)
      })
    )
  )

  // fault: Store | The file of durations is of another version or program | it is left unchanged
  it.effect.each<[string, string]>([
    ["of a later version", ofVersion(2)],
    ["of a strange version", ofVersion("1")],
    ["of another program", JSON.stringify({ breakfast: "20 minutes" })],
    ["of another program, a list", "[1]"],
    ["that is huge", ofVersion(1).padEnd(2_000_000)]
  ])("neither uses nor replaces a file %s", ([, text]) =>
    onDisk(({ file, fs }) =>
      Effect.gen(function* () {
        yield* fs.writeFileString(file, text)
        const { logs, result } = yield* logsOf(inProcess(file, run()))
        expect(result).toEqual(yield* unlearned)
        expect(logs).toEqual([`DEBUG The durations at ${file} belong to another version or program.`])
        expect(yield* fs.readFileString(file)).toBe(text)
      })
    )
  )

  // fault: Store | A directory or a pipe in the place of the file of durations | nothing
  it.effect.each<[string, (file: string) => void]>([
    [
      "a directory",
      (file) => {
        mkdirSync(file)
      }
    ],
    ["a pipe", (file) => execFileSync("sh", ["-c", 'mkfifo "$0"', file])]
  ])("does not wait for %s in its place", ([, make]) =>
    onDisk(({ file }) =>
      Effect.gen(function* () {
        make(file)
        expect(yield* inProcess(file, run())).toEqual(yield* unlearned)
      })
    )
  )

  // fault: Store | The file of durations cannot be read or written | nothing, except for a debug log
  it.effect.each<Step>(["read", "makeDirectory", "open", "write", "sync", "rename"])(
    "fails no generation if the disk refuses to %s",
    (step) =>
      onDisk(({ file, fs }) =>
        Effect.gen(function* () {
          yield* inProcess(file, run({ options: { n: 2 } }))
          const before = yield* fs.readFileString(file)
          const refusing = failing(fs, { on: [step], failure: "permission denied" })
          const [cold] = yield* unlearned
          const { logs, result } = yield* logsOf(
            Effect.provideService(inProcess(file, run({ jobs: [job, ...lesson] })), FileSystem.FileSystem, refusing)
          )
          const [first, second = 0] = result
          expect(first).toBe(cold)
          expect(second).toBeLessThan(first ?? 0)
          expect(logs).toEqual([`DEBUG The durations at ${file} are not used.`])
          expect(yield* fs.readFileString(file)).toBe(before)
          const path = yield* Path.Path
          expect(yield* fs.readDirectory(path.dirname(file))).toEqual(["durations.json"])
        })
      )
  )
})
