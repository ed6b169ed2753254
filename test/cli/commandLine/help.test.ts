import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { commands } from "../../../src/cli/commands.js"
import { command, lines } from "../../support/command.js"
import { commandProcess } from "../../support/commandProcess.js"
import { timeout } from "../../support/commandWorld.js"

const helpOf = (args: ReadonlyArray<string>) => Effect.map(command(args), ({ stdout }) => stdout)

describe.concurrent("Help", { timeout }, () => {
  it.live.each(commands)("of $name shows the usage, an option per line, and fits 80 columns", ({ flags, name }) =>
    Effect.gen(function* () {
      const help = yield* helpOf([...name.split(" "), "--help"])
      expect(help).toContain(`Usage: effect-arta ${name}`)
      for (const { name, summary } of flags)
        expect(lines(help).filter((line) => new RegExp(`^ .*-${name}( \\S+)? {2}`).test(line))).toEqual([
          expect.stringContaining(summary)
        ])
      for (const line of lines(help)) expect(line.length, line).toBeLessThanOrEqual(80)
      expect(help).not.toContain("\u001b")
    })
  )

  it.live.each(commands)("of $name is also what help $name and -h print", ({ name }) =>
    Effect.gen(function* () {
      const help = yield* helpOf([...name.split(" "), "--help"])
      expect(yield* helpOf(["help", ...name.split(" ")])).toBe(help)
      expect(yield* helpOf([...name.split(" "), "-h"])).toBe(help)
    })
  )

  it.live("wins over other words and mistakes", () =>
    Effect.gen(function* () {
      const help = yield* helpOf(["generate", "--help"])
      expect(yield* helpOf(["generate", "a fox", "-n", "two", "--sed", "--help"])).toBe(help)
      expect(yield* helpOf(["--help", "generate"])).toBe(help)
    })
  )

  it.live("of everything is what no words, help and --help print, and lists the commands", () =>
    Effect.gen(function* () {
      const help = yield* helpOf([])
      expect(yield* helpOf(["help"])).toBe(help)
      expect(yield* helpOf(["--help"])).toBe(help)
      for (const { name, summary } of commands) expect(help).toMatch(new RegExp(`^  ${name} +${summary}$`, "m"))
      for (const line of lines(help)) expect(line.length, line).toBeLessThanOrEqual(80)
      expect(lines(help).length).toBeLessThanOrEqual(23)
    })
  )

  it.live("is the same in a process, which prints it without loading the commands", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* commandProcess(["help", "generate"])
      expect(stdout).toBe(yield* helpOf(["generate", "--help"]))
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    })
  )

  it.live("names the version with -v and --version", () =>
    Effect.gen(function* () {
      for (const args of [["-v"], ["--version"], ["generate", "--version"]]) expect(yield* helpOf(args)).toBe("0.0.0\n")
    })
  )

  it.live.each([
    { args: ["genrate", "a fox"], says: '"genrate" is no command. Did you mean generate?' },
    { args: ["baatch"], says: '"baatch" is no command. Did you mean batch?' },
    { args: ["acount", "renew"], says: '"acount" is no command. Did you mean account renew?' },
    { args: ["account", "renw"], says: "account takes no argument, but got renw." },
    { args: ["a fox"], says: "\"a fox\" is no command. To generate images from it: effect-arta generate 'a fox'" },
    { args: ["paint"], says: '"paint" is no command. See the commands: effect-arta --help' },
    { args: ["help", "modles"], says: '"modles" is no command. Did you mean models?' },
    { args: ["generate", "-N2"], says: "-N2 is no option of generate. Did you mean -n?" },
    { args: ["generate", "-x"], says: "-x is no option of generate. See its options: effect-arta generate --help" },
    { args: ["--verison"], says: "--verison is no option. Did you mean --version?" },
    {
      args: ["generate", "a", "fox", "--proxy", "http://me:secret@proxy.test", "--seed", "7"],
      says: "PROMPT must be one argument. Quote it: effect-arta generate 'a fox' --proxy URL --seed 7"
    },
    {
      args: ["generate", "-a red fox"],
      says: "PROMPT starts with a hyphen. Put it after --: effect-arta generate -- '-a red fox'"
    },
    { args: ["batch", ".", "a.csv"], says: "batch takes one FILE, but got 2: . a.csv." },
    { args: ["batch", "."], says: 'FILE must be a file, not ".".' },
    { args: ["gallery", "package.json"], says: 'DIR must be a directory, not "package.json".' },
    { args: ["batch", "missing.csv"], says: 'FILE must be a file that exists, not "missing.csv".' },
    {
      args: ["generate", "-n2"],
      says: "PROMPT is missing. For example: effect-arta generate 'a lighthouse at dawn' -m flux -n 2"
    },
    {
      args: ["generate", "a fox", "--timeout", "0"],
      says: '--timeout must be a number of seconds greater than 0, not "0".'
    },
    { args: ["models", "--completions", "tcsh"], says: "--completions must be one of bash, zsh, fish." }
  ])("is one line about the mistake in $args", ({ args, says }) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* command(args)
      expect(stderr).toBe(`${says}\n`)
      expect(stdout).toBe("")
      expect(code).toBe(2)
    })
  )
})
