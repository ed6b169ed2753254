import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { commandProcess, startProcess } from "../../support/commandProcess.js"
import { onPort, setUp, timeout } from "../../support/commandWorld.js"

const manyPrompts = Array.from({ length: 101 }, (_, index) => `a fox ${String(index)}\n`).join("")

describe.concurrent("effect-arta batch and standard input", { timeout }, () => {
  it.scopedLive("reads the file from standard input if it is a hyphen", () =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      const input = "prompt;cfg\na fox;7,5\n"
      const { code, stderr } = yield* commandProcess(["batch", "-", "--format", "csv", "-o", images], { env, input })
      expect(code).toBe(0)
      expect(stderr).toMatch(/^1 of 1 saved/m)
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive("is a batch of the database under that name, once for the same rows", () =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      const run = (input: string, ...flags: ReadonlyArray<string>) =>
        commandProcess(["batch", "-", "--format", "txt", "-o", images, ...flags], { env, input })
      for (const [input, submissions, flags] of [
        ["a fox\n", 1, []],
        ["a fox\n", 1, []],
        // Other rows from standard input are another file.
        ["an owl\n", 2, ["--again"]]
      ] as const) {
        const { code, stderr } = yield* run(input, "--database", ...flags)
        expect(code, stderr).toBe(0)
        expect(stderr).toMatch(/^Batch standard-input-[0-9a-f]{8}(~2)?: /)
        expect((yield* emulator.counts).submit).toBe(submissions)
      }
      const without = yield* run("an owl\n")
      expect(without.code).toBe(2)
      expect(without.stderr).toMatch(/already, as the batch standard-input-[0-9a-f]{8}~2\. Add --database/)
    }).pipe(onPort())
  )

  it.scopedLive("refuses prompts from standard input that could be anything without --format", () =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      const { code, stderr } = yield* commandProcess(["batch", "-", "-o", images], { env, input: "a,b\nc,d\n" })
      expect(code).toBe(2)
      expect(stderr).toContain("--format txt")
      expect(yield* emulator.requests).toEqual([])
    }).pipe(onPort())
  )
})

// `script`, which provides the terminal, takes other arguments outside Linux.
describe.skipIf(process.platform !== "linux")("a large batch on a terminal", { concurrent: true, timeout }, () => {
  const started = Effect.gen(function* () {
    const { directory, emulator, env, fs, images } = yield* setUp
    yield* fs.writeFileString(`${directory}/p.txt`, manyPrompts)
    const args = ["batch", `${directory}/p.txt`, "-o", images, "-c", "50"]
    return { emulator, child: yield* startProcess(args, { env, terminal: true }) }
  })

  it.scopedLive("sends nothing if the question gets no yes", () =>
    Effect.gen(function* () {
      const { child, emulator } = yield* started
      yield* child.wrote(/101 images in 101 generations\. Continue\?/)
      yield* child.press("\r")
      const { code, stdout } = yield* child.ended
      expect(code).toBe(130)
      expect(stdout).toContain("Nothing was sent.")
      expect((yield* emulator.counts).submit).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive("starts after a yes", () =>
    Effect.gen(function* () {
      const { child, emulator } = yield* started
      yield* child.wrote(/Continue\?/)
      yield* child.press("y\r")
      expect((yield* child.ended).code).toBe(0)
      expect((yield* emulator.counts).submit).toBe(101)
    }).pipe(onPort({ imageSize: 64 }))
  )
})
