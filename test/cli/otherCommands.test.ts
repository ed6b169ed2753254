import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { execFileSync } from "node:child_process"
import { commands } from "../../src/cli/commands.js"
import { command, decodeLines, lines } from "../support/command.js"
import { commandProcess, startProcess } from "../support/commandProcess.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"
import { tcpServer } from "../support/tcpServer.js"

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

      const aliases = yield* decodeLines(Schema.Struct({ alias: Schema.String }), json)
      const width = Math.max(...aliases.map(({ alias }) => alias.length))
      for (const line of lines(stdout)) expect(line.slice(width)).toMatch(/^ {2}\S/)

      const some = yield* command(["models", "GPT image"])
      expect(lines(some.stdout)).toHaveLength(1)
      expect(some.stdout).toMatch(/^gpt-image +one of/)
      expect((yield* command(["models", "gptImage"])).stdout).toBe(some.stdout)
      expect((yield* command(["models", "fluxflux"])).code).toBe(2)
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
      expect(yield* emulator.counts).toMatchObject({ signUp: 1, refresh: 0 })
      const stored = JSON.parse(yield* fs.readFileString(`${directory}/credentials.json`)) as Record<string, string>

      const shown = yield* command(["account"], { env })
      expect(shown.stdout).toContain(String(stored["localId"]))
      expect(shown.stdout).toMatch(/^Signed up +\d{4}-\d\d-\d\dT/m)
      const until = /^Token +valid until (\S+)$/m.exec(shown.stdout)?.[1] ?? ""
      expect(Date.parse(until)).toBeGreaterThan(Date.now())
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

  it.scopedLive("shows an account whose token has expired, and of which it is not known when it signed up", () =>
    Effect.gen(function* () {
      const { env, directory, fs } = yield* setUp
      yield* command(["account", "renew"], { env })
      const file = `${directory}/credentials.json`
      const stored = JSON.parse(yield* fs.readFileString(file)) as Record<string, unknown>
      // The second is no date.
      for (const signedUpAt of [undefined, 1e16]) {
        yield* fs.writeFileString(file, JSON.stringify({ ...stored, issuedAt: 0, signedUpAt }))
        const { stdout } = yield* command(["account"], { env })
        expect(stdout).toMatch(/^Signed up +unknown\nToken +expired at 1970-01-01T01:00:00\.000Z$/m)
      }
    }).pipe(onPort())
  )

  it.scopedLive("does not serve an emulator on a port that is in use", () =>
    Effect.gen(function* () {
      const { port } = yield* tcpServer(() => undefined)
      const { code, stderr } = yield* command(["emulator", "--port", String(port)])
      expect(stderr).toMatch(/^Cannot serve on port \d+: listen EADDRINUSE.*\. Try another --port\.\n$/)
      expect(code).toBe(3)
    })
  )

  it.scopedLive("serves an emulator and prints the environment that points a program at it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const server = yield* startProcess(["emulator"])
      const printed = yield* server.wrote(/ARTA_TOKEN_FILE=[^]*\nServing until you press Ctrl-C\./)
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
