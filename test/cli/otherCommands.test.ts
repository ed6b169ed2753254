import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { commands } from "../../src/cli/commands.js"
import { command, lines } from "../support/command.js"
import { commandProcess, startProcess } from "../support/commandProcess.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"

describe.concurrent("effect-arta", { timeout }, () => {
  it.live("prints its help without colors outside a terminal", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* command(["--help"])
      expect(code).toBe(0)
      for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^  ${name} +[A-Z].*\\.$`, "m"))
      expect(Math.max(...lines(stdout).map(({ length }) => length))).toBeLessThanOrEqual(90)
      expect(stdout).not.toContain("\u001b")
    })
  )

  it.live("prints its version", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* commandProcess(["--version"])
      expect(code).toBe(0)
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n/)
    })
  )

  it.live.each(commands)("prints the help of $name", ({ name, summary }) =>
    Effect.gen(function* () {
      const { code, stdout } = yield* command([...name.split(" "), "--help"])
      expect(code).toBe(0)
      expect(stdout).toMatch(new RegExp(`^${summary}\\nUsage: effect-arta ${name}`))
    })
  )

  it.live("prints completions for a shell", () =>
    Effect.gen(function* () {
      const { code, stdout } = yield* command(["--completions", "bash"])
      expect(code).toBe(0)
      for (const name of ["generate", "watch", "batch", "sign-out", "--negative", "--retry-failed"])
        expect(stdout).toContain(name)
      execFileSync("bash", ["-n"], { input: stdout })
    })
  )

  it.live("lists the models as text and as JSON", () =>
    Effect.gen(function* () {
      const { stdout } = yield* command(["models"])
      expect(stdout).toMatch(/^flux +Flux$/m)
      expect(stdout).toMatch(/^gpt-image +one of GPT4o, High GPT4o, GPT4o Ghibli$/m)
      const { stdout: json } = yield* command(["models", "--json"])
      expect(lines(json).map((line) => JSON.parse(line) as unknown)).toContainEqual({ alias: "flux", models: ["Flux"] })
      expect(lines(json)).toHaveLength(lines(stdout).length)

      const some = yield* command(["models", "GPT image"])
      expect(lines(some.stdout)).toHaveLength(1)
      expect(some.stdout).toMatch(/^gpt-image +one of/)
      const none = yield* command(["models", "fluxx"])
      expect(none).toMatchObject({ code: 2, stdout: "" })
      expect(none.stderr).toMatch(/No model matches fluxx\. See them all: effect-arta models/)
      const long = yield* command(["models", `${"a".repeat(300)}${"b".repeat(300)}`])
      expect(long.stderr).toContain(`No model matches ${"a".repeat(150)}…${"b".repeat(150)}. See`)
    })
  )

  it.scopedLive("shows the account, refreshes, signs out, and never prints a token", () =>
    Effect.gen(function* () {
      const { emulator, env, directory, fs } = yield* setUp
      const nobody = yield* command(["account"], { env })
      expect(nobody.stdout).toContain("Not signed up yet")
      expect(nobody.stdout).toContain(`${directory}/credentials.json`)

      const signedUp = yield* command(["account", "renew"], { env })
      expect(signedUp.code).toBe(0)
      const stored = JSON.parse(yield* fs.readFileString(`${directory}/credentials.json`)) as Record<string, string>

      const shown = yield* command(["account"], { env })
      expect(shown.stdout).toContain(String(stored["localId"]))
      expect(shown.stdout).toMatch(/^Signed up +\d{4}-\d\d-\d\dT/m)
      expect(shown.stdout).toMatch(/^Token +valid until \d{4}-/m)
      for (const { stderr, stdout } of [signedUp, shown]) {
        expect(stdout + stderr).not.toContain(stored["idToken"])
        expect(stdout + stderr).not.toContain(stored["refreshToken"])
      }

      const refreshed = yield* command(["account", "renew"], { env })
      expect(/^Signed up.*$/m.exec(refreshed.stdout)?.[0]).toBe(/^Signed up.*$/m.exec(shown.stdout)?.[0])
      expect(yield* emulator.counts).toMatchObject({ signUp: 1 })
      expect((yield* emulator.counts).refresh).toBeGreaterThanOrEqual(1)

      const signedOut = yield* command(["account", "sign-out"], { env })
      expect(signedOut).toEqual({
        code: 0,
        stdout: "",
        stderr: "Signed out. The session on this machine is deleted.\n"
      })
      expect(yield* fs.exists(`${directory}/credentials.json`)).toBe(false)
    }).pipe(onPort())
  )

  it.scopedLive("serves an emulator and prints the environment that points a program at it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const server = yield* startProcess(["emulator"])
      const printed = yield* server.wrote(/ARTA_TOKEN_FILE=.*\n/)
      const env = Object.fromEntries(
        [...printed.matchAll(/^export (\w+)="(.*)"$/gm)].map(([, name = "", value = ""]): [string, string] => [
          name,
          value
        ])
      )
      const generated = yield* command(["generate", "a fox", "-o", `${directory}/images`], { env })
      expect(generated.code).toBe(0)
      expect(yield* fs.exists(generated.stdout.trim())).toBe(true)
      expect(yield* fs.exists(String(env["ARTA_TOKEN_FILE"]))).toBe(true)

      yield* server.signal("SIGINT")
      expect((yield* server.ended).code).toBe(130)
      expect(yield* fs.exists(String(env["ARTA_TOKEN_FILE"]))).toBe(false)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
