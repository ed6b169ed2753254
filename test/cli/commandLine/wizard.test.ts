import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { commandProcess } from "../../support/commandProcess.js"
import { timeout } from "../../support/commandWorld.js"

/** Types these lines into the wizard. */
const typing = (args: ReadonlyArray<string>, typed: ReadonlyArray<string>) =>
  commandProcess([...args, "--wizard"], { input: typed.map((line) => `${line}\n`).join("") })

const enter = ""

describe.concurrent("The wizard", { timeout }, () => {
  it.live("asks for what is required first, and takes the default of everything else", () =>
    Effect.gen(function* () {
      const { code, stderr } = yield* typing(["generate"], [enter, " ", "a fox's den", enter, enter, enter, "n"])
      expect(stderr).toMatch(/PROMPT.*A value is required\.\n.*PROMPT.*A value is required\.\n.*PROMPT/s)
      expect(stderr).toMatch(/Change output options \(.*--json.*\)\? \[y\/N\]/)
      expect(stderr).toMatch(/^.*effect-arta generate "a fox's den"$/m)
      expect(code).toBe(0)
    })
  )

  it.live("asks for each option of a group, again if its value is wrong, and quotes the command", () =>
    Effect.gen(function* () {
      const image = ["y", enter, "two", "2", "a $(dog)", "16:9", enter, enter, "-1", enter]
      const { stderr } = yield* typing(["generate"], ["-a fox", ...image, enter, enter, "n"])
      expect(stderr).toContain("-n must be a whole number such as 7.")
      expect(stderr).toContain(
        "effect-arta generate -n 2 --negative 'a $(dog)' --aspect 16\\:9 --seed\\=-1 -- '-a fox'\n"
      )
    })
  )

  it.live("suggests a command, and runs what it printed", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* typing([], ["modls", "models", enter, "y", "y", enter])
      expect(stderr).toContain('"modls" is no command. Did you mean models?')
      expect(stderr).toMatch(/effect-arta models --json$/m)
      expect(stdout).toContain('{"alias":"flux","models":["Flux"]}\n')
      expect(code).toBe(0)
    })
  )

  it.live("ends with exit code 130 if the input ends", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* typing(["generate"], ["a fox"])
      expect(code).toBe(130)
      expect(stdout).toBe("")
    })
  )
})
