import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { PassThrough, Writable } from "node:stream"
import { command } from "../../support/command.js"

const replaced = (name: "stdin" | "stderr", stream: PassThrough | Writable) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const original = Object.getOwnPropertyDescriptor(process, name)
      Object.defineProperty(process, name, { value: stream, configurable: true })
      return original
    }),
    (original) =>
      Effect.sync(() => {
        if (original !== undefined) Object.defineProperty(process, name, original)
      })
  )

/** Types these lines into the wizard, in this process. `asked` is what the wizard asks, line by line. */
const typing = (args: ReadonlyArray<string>, typed: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    let asked = ""
    const questions = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        asked += chunk.toString()
        done()
      }
    })
    const input = new PassThrough()
    yield* replaced("stdin", input)
    yield* replaced("stderr", questions)
    input.end(typed.map((line) => `${line}\n`).join(""))
    const ended = yield* command([...args, "--wizard"])
    return { ...ended, asked }
  }).pipe(Effect.scoped)

const generateQuestions =
  "Change image options (--model, -n, --negative, --aspect, --steps, --guidance, --seed, --no-limits)?"

// One after the other: they share the input and the output of the process.
describe("The wizard's questions", () => {
  it.live("show what each answer means and its default, and Enter takes the default", () =>
    Effect.gen(function* () {
      const { asked, code, stderr, stdout } = yield* typing(["models"], ["", "", "N"])
      expect(asked).toBe(
        "FILTER (Words of an alias or a model) [none]: Change output options (--json)? [y/N] Run it? [Y/n] "
      )
      expect(stderr).toBe(
        "Press Enter to take the value in brackets. Ctrl-C quits.\n" +
          "List the models and their aliases.\neffect-arta models\n"
      )
      expect(stdout).toBe("")
      expect(code).toBe(0)
    })
  )

  // fault: Process | The input of the wizard has ended before its questions | its lines are read, also on Node 24
  it.live("run the command with what was typed", () =>
    Effect.gen(function* () {
      const { asked, code, stderr, stdout } = yield* typing(["models"], ["flux", "Y", "yes", ""])
      expect(asked).toContain("[y/N]   Print one JSON object per line instead of text? [y/N] Run it? [Y/n] ")
      expect(stderr).toMatch(/^effect-arta models flux --json$/m)
      expect(stdout).toContain('{"alias":"flux","models":["Flux"]}\n')
      expect(code).toBe(0)
    })
  )

  it.live("list the commands, of which generate is the default", () =>
    Effect.gen(function* () {
      const { asked, stderr } = yield* typing([], ["  ", "a fox", "n", "n", "n", "n"])
      expect(asked).toMatch(/^Command \(generate, watch, .*account renew, .*mcp\) \[generate\]: PROMPT \(/)
      expect(stderr).toMatch(/^Generate images from a prompt\.\neffect-arta generate 'a fox'$/m)
    })
  )

  it.live("take a command of two words", () =>
    Effect.gen(function* () {
      const { stderr } = yield* typing([], ["account renew", "n", "n", "n"])
      expect(stderr).toMatch(/^effect-arta account renew$/m)
    })
  )

  it.live("are asked again after an answer that is neither yes nor no", () =>
    Effect.gen(function* () {
      const { asked, stderr } = yield* typing(["generate"], ["a fox", "maybe", "yess", "NO", "no", "n", "n"])
      expect(asked.split(`${generateQuestions} [y/N] `)).toHaveLength(4)
      expect(stderr.split("Type y or n.\n")).toHaveLength(3)
      expect(stderr).toMatch(/^effect-arta generate 'a fox'$/m)
    })
  )

  it.live("are asked again for each option with a wrong value, and show its default", () =>
    Effect.gen(function* () {
      const image = ["y", "", "two", "2", "", "", "1e", "", "", "", "y"]
      const { asked, stderr } = yield* typing(["generate"], [" a fox ", ...image, "n", "n", "n"])
      expect(asked).toContain("  --model (The name or alias of a model) [Flux]:   -n (The number of images) [1]: ")
      expect(asked).toContain("  --negative (What to avoid) [none]: ")
      expect(stderr).toContain("-n must be a whole number such as 7.\n--steps must be a whole number such as 7.\n")
      expect(stderr).toMatch(/^effect-arta generate 'a fox' -n 2 --no-limits$/m)
    })
  )

  it.live("put a value that begins with a hyphen behind an equals sign, and a prompt behind two hyphens", () =>
    Effect.gen(function* () {
      const image = ["y", "", "", "-blur", "", "", "", "", ""]
      const { stderr } = yield* typing(["generate"], ["-fox", ...image, "n", "n", "n"])
      expect(stderr).toMatch(/^effect-arta generate --negative\\=-blur -- -fox$/m)
    })
  )

  it.live("take a single hyphen as standard input", () =>
    Effect.gen(function* () {
      const { stderr } = yield* typing(["generate"], ["-", "n", "n", "n", "n"])
      expect(stderr).toMatch(/^effect-arta generate -$/m)
    })
  )

  it.live("do not show a password", () =>
    Effect.gen(function* () {
      const service = ["y", "", "http://me:secret@proxy.example:1", ""]
      const { stderr } = yield* typing(["watch"], ["rec-1", "n", ...service, "n"])
      expect(stderr).toMatch(/^effect-arta watch rec-1 --proxy URL$/m)
      expect(stderr).not.toContain("secret")
    })
  )

  it.live("refuse a value that an argument cannot have, and ask for it again", () =>
    Effect.gen(function* () {
      const { asked, stderr } = yield* typing(
        ["batch"],
        ["", "missing.csv", "README.md", ...Array<string>(12).fill("n")]
      )
      expect(stderr).toMatch(/A value is required\.\nFILE must be .*\n/)
      expect(asked.split("FILE (")).toHaveLength(4)
      expect(stderr).toMatch(/^effect-arta batch README\.md$/m)
    })
  )

  it.live("end with exit code 130 if the input ends", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* typing(["generate"], ["a fox"])
      expect(code).toBe(130)
      expect(stdout).toBe("")
    })
  )
})
