import { describe, expect, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { stripVTControlCharacters } from "node:util"
import { Fault } from "effect-arta/testing"
import { commandProcess, startProcess } from "../support/commandProcess.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"

const escape = "\u001b["

/** The final lines on a terminal: each rewrite of the live line overwrites the last one. */
const shown = (output: string): string =>
  output
    .split("\n")
    .map((line) => stripVTControlCharacters(line.split(`${escape}1G`).at(-1) ?? ""))
    .join("\n")

const batchOfThree = Effect.gen(function* () {
  const { directory, emulator, env, fs, images } = yield* setUp
  yield* fs.writeFileString(`${directory}/p.txt`, "a fox\na hare\nan owl\n")
  return { args: ["batch", `${directory}/p.txt`, "-o", images, "-c", "2"], emulator, env }
})

// `script`, which provides the terminal, takes other arguments outside Linux.
describe.skipIf(process.platform !== "linux")("effect-arta in a terminal", { concurrent: true, timeout }, () => {
  it.scopedLive("shows one live line and restores the terminal", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const { code, stdout } = yield* commandProcess(["generate", "a fox", "--seed", "7", "-o", images], {
        env,
        terminal: true
      })
      expect(code).toBe(0)
      expect(stdout).toMatch(/queued \d s → generating \d s/)
      expect(shown(stdout)).toMatch(/^queued \d s → generating \d s → saved/m)
      expect(shown(stdout)).toMatch(/^\S*\/a-fox-7-0\.png/m)
      expect(stdout).not.toContain("submitted")
      expect(stdout.lastIndexOf(`${escape}?25h`)).toBeGreaterThan(stdout.lastIndexOf(`${escape}?25l`))
    }).pipe(onPort({ queueTime: "700 millis", drawTime: "1500 millis" }))
  )

  it.scopedLive.each([
    { ends: "generated", args: ["--no-save"], faults: [] },
    { ends: "stopped", args: [], faults: [Fault.respond("status", 403)] },
    { ends: "not all saved", args: [], faults: Array.replicate(Fault.respond("image", 451), 4) }
  ])("ends the live line with: $ends", ({ args, ends, faults }) =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      yield* Effect.forEach(faults, emulator.inject)
      const { stdout } = yield* commandProcess(["generate", "a fox", "-o", images, ...args], { env, terminal: true })
      expect(shown(stdout)).toMatch(new RegExp(`^(queued \\d s → )?(generating \\d s → )?${ends}\r?$`, "m"))
    }).pipe(onPort())
  )

  it.scopedLive("shows a bar for a batch", () =>
    Effect.gen(function* () {
      const { args, env } = yield* batchOfThree
      const { code, stdout } = yield* commandProcess(args, { env, terminal: true })
      expect(code).toBe(0)
      // The time left is unknown until a row has ended.
      expect(stdout).toMatch(/░ 0\/3, 0 failed, 2 in flight(?!,)/)
      expect(stdout).toMatch(/█+░+ 2\/3, 0 failed, 1 in flight, \d s left/)
      expect(shown(stdout)).toMatch(/^█+ 3\/3, 0 failed, 0 in flight$/m)
      expect(shown(stdout)).toMatch(/^3 of 3 saved\. Gallery: /m)
    }).pipe(onPort({ drawTime: "400 millis" }))
  )

  it.scopedLive("shows a bar for the rows of all runners of a database", () =>
    Effect.gen(function* () {
      const { args, emulator, env } = yield* batchOfThree
      yield* emulator.inject(Fault.failGeneration("FAILED", "Too dark"))
      const { code, stdout } = yield* commandProcess([...args, "--database"], { env, terminal: true })
      expect(code).toBe(6)
      expect(stdout).toMatch(/░ 0\/3, 0 failed, 2 in flight, 1 runner(?!s|,)/)
      expect(stdout).toMatch(/█+░+ 2\/3, 1 failed, 1 in flight, 1 runner, \d s left/)
      const [before = "", after] = shown(stdout).split(/^█{14} 3\/3, 1 failed, 0 in flight, 1 runner$/m)
      expect(before).toMatch(/^row \d: .*Too dark/m)
      expect(before).not.toMatch(/^\[\d|png$/m)
      expect(after).toMatch(/^2 of 3 saved/m)
    }).pipe(onPort({ drawTime: "3 seconds" }))
  )

  it.scopedLive.each([
    { columns: 20, flags: [], last: "3/3, 0 failed" },
    { columns: 12, flags: [], last: "3/3" },
    { columns: 100, flags: [], last: `${"█".repeat(30)} 3/3, 0 failed, 0 in flight` },
    { columns: 20, flags: ["--database"], last: "3/3, 0 failed" },
    { columns: 12, flags: ["--database"], last: "3/3" },
    { columns: 100, flags: ["--database"], last: `${"█".repeat(30)} 3/3, 0 failed, 0 in flight, 1 runner` }
  ])("shows what fits into $columns columns, with $flags", ({ columns, flags, last }) =>
    Effect.gen(function* () {
      const { args, env } = yield* batchOfThree
      const before = `stty cols ${String(columns)}`
      const { stdout } = yield* commandProcess([...args, ...flags], { env, terminal: true, before })
      const [line] = /^.*3\/3.*$/m.exec(shown(stdout)) ?? []
      expect(line?.trim()).toBe(last)
    }).pipe(onPort())
  )

  it.scopedLive("prints failures above the bar as they happen", () =>
    Effect.gen(function* () {
      const { args, emulator, env } = yield* batchOfThree
      yield* emulator.inject(Fault.failGeneration("FAILED", "Too dark"))
      const { stdout } = yield* commandProcess(args, { env, terminal: true })
      const [before = "", after] = shown(stdout).split(/^█+ 3\/3, 1 failed, 0 in flight$/m)
      expect(before).toMatch(/^row 1: .*Too dark/m)
      expect(after).toMatch(/^2 of 3 saved/m)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    { into: "cat", paths: 3 },
    { into: "head -1", paths: 1 }
  ])("keeps the bar whole if $into prints the paths to the same terminal", ({ into, paths }) =>
    Effect.gen(function* () {
      const { args, env } = yield* batchOfThree
      const { stdout } = yield* commandProcess(args, { env, terminal: true, into })
      const lines = shown(stdout).split("\r\n")
      expect(lines.filter((line) => /^\S*\.png$/.test(line))).toHaveLength(paths)
      expect(lines.filter((line) => line.includes("█"))).toEqual([
        expect.stringMatching(/^█+ 3\/3, 0 failed, 0 in flight$/)
      ])
    }).pipe(onPort())
  )

  it.scopedLive("prints plain lines on a dumb terminal", () =>
    Effect.gen(function* () {
      const { args, env } = yield* batchOfThree
      const { stdout } = yield* commandProcess(args, { env: { ...env, TERM: "dumb" }, terminal: true })
      expect(stdout).not.toContain(escape)
      expect(stdout).toMatch(/^\[3\/3\] saved /m)
    }).pipe(onPort())
  )

  it.scopedLive("prints the command that resumes on Ctrl-C, and shows the cursor again", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const child = yield* startProcess(["generate", "a fox", "-o", images], { env, terminal: true })
      yield* child.wrote(/generating/)
      yield* child.press("\u0003")
      const { code, stdout } = yield* child.ended
      expect(code).toBe(130)
      expect(shown(stdout)).toMatch(/effect-arta watch record-\w+ -o /)
      expect(stdout.lastIndexOf(`${escape}?25h`)).toBeGreaterThan(stdout.lastIndexOf(`${escape}?25l`))
    }).pipe(onPort({ drawTime: "1 hour" }))
  )

  it.live("prints colors unless NO_COLOR is set", () =>
    Effect.gen(function* () {
      const colored = yield* commandProcess(["models", "--help"], { terminal: true, env: { TERM: "xterm-256color" } })
      expect(colored.stdout).toContain(`${escape}1m`)
      const plain = yield* commandProcess(["models", "--help"], {
        terminal: true,
        env: { TERM: "xterm-256color", NO_COLOR: "1" }
      })
      expect(plain.stdout).toContain("Usage:")
      expect(plain.stdout).not.toContain(escape)
    })
  )

  it.scopedLive("prompts for the options with --wizard", () =>
    Effect.gen(function* () {
      const child = yield* startProcess(["models", "--wizard"], { terminal: true, env: { TERM: "xterm-256color" } })
      yield* child.wrote(/FILTER/)
      yield* child.press("\r")
      yield* child.wrote(/Change output options \(--json\)\? \[y\/N\]/)
      yield* child.press("\u0003")
      expect((yield* child.ended).code).toBe(130)
    })
  )
})
