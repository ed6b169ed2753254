import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { Line } from "../../src/cli/shared/jsonOutput.js"
import { parse } from "shell-quote"
import { command, decodeLines } from "../support/command.js"
import { commandProcess } from "../support/commandProcess.js"
import { onPort, setUp, timeout } from "../support/commandWorld.js"

const stack = /^\s+at /m

describe.concurrent("A failure of the command", { timeout }, () => {
  it.scopedLive("without a key says how to start, and exits with 3", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      for (const ARTA_API_KEY of ["", undefined]) {
        const { code, stderr, stdout } = yield* command(["generate", "a fox", "-o", images], {
          env: { ...env, ARTA_API_KEY }
        })
        expect(code).toBe(3)
        expect(stderr).toMatch(/ARTA_API_KEY.*--emulator/)
        expect(stdout).toBe("")
      }
    }).pipe(onPort())
  )

  it.scopedLive.each([
    { args: ["generate"], says: /^PROMPT is missing/m },
    { args: ["generate", "a fox", "--sed", "7"], says: /^--sed is no option of generate\. Did you mean --seed\?$/m },
    { args: ["generate", "a fox", "-n", "two"], says: /^-n must be a whole number .*"two"\.$/m },
    { args: ["generate", "a fox", "-n", "0"], says: /^-n must be a positive integer\.$/m },
    { args: ["generate", "a fox", "-n", "9"], says: /^-n must be at most 8, unless you add --no-limits\.$/m },
    { args: ["generate", " "], says: /^The prompt must be .*blank/m },
    { args: ["generate", "a fox", "--aspect", "wide"], says: /^--aspect must be a ratio as W:H/m },
    { args: ["generate", "a fox", "-m", "fluxx"], says: /Did you mean flux\b.*\nSee them all: effect-arta models$/m },
    { args: ["generate", "a fox", "--timeout", "0"], says: /a number of seconds greater than 0/ },
    {
      args: ["generate", "a fox", "--no-save", "--open"],
      says: /^--open opens saved images\. Leave out --no-save\.$/m
    },
    { args: ["emulator", "--port", "99999"], says: /a port from 0 to 65535/ },
    { args: ["watch", " "], says: /^The record id must be/m },
    { args: ["batch", "nowhere.txt"], says: /nowhere\.txt/ },
    { args: ["paint", "a fox"], says: /^"paint" is no command\./m }
  ])("of usage, such as $args, says what is wrong, and exits with 2", ({ args, says }) =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      const output = args[0] === "generate" ? ["-o", images] : []
      const { code, stderr, stdout } = yield* command([...args, ...output], { env })
      expect(stderr).toMatch(says)
      expect(stderr).not.toMatch(stack)
      expect(code).toBe(2)
      expect(stdout).toBe("")
      expect((yield* emulator.counts).submit).toBe(0)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    {
      fault: Fault.identityError("signUp", "API key not valid. Please pass a valid API key."),
      code: 3,
      says: /API key/
    },
    { fault: Fault.identityError("signUp", "USER_DISABLED"), code: 4, says: /disabled/ },
    { fault: Fault.respond("submit", 422, { body: { detail: "No such style" } }), code: 4, says: /No such style/ },
    { fault: Fault.respond("submit", 404), code: 4, says: /^The service returned HTTP 404 while submitting/m },
    { fault: Fault.drop("submit"), code: 5, says: /may or may not have accepted.*\n.*seed 7/ },
    { fault: Fault.failGeneration("NSFW", "not that"), code: 6, says: /NSFW: not that.*\n.*--seed/ }
  ])("of the service exits with $code", ({ code, fault, says }) =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      yield* emulator.inject(fault)
      const ended = yield* command(["generate", "a fox", "--seed", "7", "-o", images], { env })
      expect(ended.stderr).toMatch(says)
      expect(ended.stderr).not.toMatch(stack)
      expect(ended.code).toBe(code)
      expect((yield* emulator.counts).submit).toBeLessThanOrEqual(1)
    }).pipe(onPort())
  )

  it.scopedLive("of the network exits with 5", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const nobody = "http://127.0.0.1:9/token"
      const { code, stderr } = yield* command(["generate", "a fox", "-o", images], {
        env: { ...env, ARTA_SIGN_UP_URL: nobody }
      })
      expect(stderr).toMatch(/No usable response while signing up/)
      expect(code).toBe(5)
    }).pipe(onPort())
  )

  it.scopedLive.each([
    {
      name: "ARTA_API_URL",
      value: "ftp://arta.test",
      says: /^ARTA_API_URL: "ftp:\/\/arta.test" is not an http or https URL/m
    },
    { name: "ARTA_SIGN_UP_URL", value: "not a url", says: /^ARTA_SIGN_UP_URL: "not a url" is not/m },
    {
      name: "ARTA_TOKEN_URL",
      value: "https://me:secret@arta.test",
      says: /^ARTA_TOKEN_URL: "https:\/\/arta.test" is not/m
    }
  ])("of $name names the variable and its value, and exits with 3", ({ name, says, value }) =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      const { code, stderr } = yield* command(["generate", "a fox", "-o", images], { env: { ...env, [name]: value } })
      expect(stderr).toMatch(says)
      expect(stderr).not.toContain("secret")
      expect(code).toBe(3)
      expect(yield* emulator.counts).toMatchObject({ signUp: 0, submit: 0 })
    }).pipe(onPort())
  )

  it.scopedLive("by timeout names the command that resumes, and exits with 7", () =>
    Effect.gen(function* () {
      const { env, directory } = yield* setUp
      const { code, stderr } = yield* command(["generate", "a fox", "--timeout", "8", "-o", `${directory}/my images`], {
        env
      })
      expect(stderr).toMatch(
        /has not finished after .* \(IN_PROGRESS\).*\neffect-arta watch record-\w+ -o '?\S+\/my images/s
      )
      expect(code).toBe(7)
    }).pipe(onPort({ drawTime: "1 hour" }))
  )

  // fault: Submit | A record id that begins with a hyphen | a command that resumes it
  it.scopedLive.each(["-5", "--emulator", "record 1"])("names the command that resumes the generation %s", (recordId) =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      yield* emulator.inject(Fault.respond("submit", 200, { body: { record_id: recordId } }))
      yield* emulator.inject(Fault.respond("status", 403))
      const { code, stderr } = yield* command(["generate", "a fox", "-o", images], { env })
      expect(code).toBe(4)
      const [program, ...args] = parse(/^effect-arta watch .*$/m.exec(stderr)?.[0] ?? "").map(String)
      expect(program).toBe("effect-arta")
      const watched = yield* command(args, { env })
      expect(watched.stderr).toContain(`The service has no generation ${recordId}.`)
    }).pipe(onPort())
  )

  it.scopedLive.each([404, 410])("says that the service has no such generation for HTTP %d", (status) =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      yield* emulator.inject(Fault.respond("status", status))
      const { code, stderr } = yield* command(["watch", "record-1", "-o", images], { env })
      expect(stderr).toBe("The service has no generation record-1. Check the id, or generate the images again.\n")
      expect(code).toBe(4)
    }).pipe(onPort())
  )

  it.scopedLive("by too many images for standard output names a command that can be pasted", () =>
    Effect.gen(function* () {
      const { emulator, env } = yield* setUp
      const response = [{ url: "https://a.test/1.png" }, { url: "https://a.test/2.png" }]
      yield* emulator.inject(Fault.respond("submit", 200, { body: { record_id: "a; b" } }))
      yield* emulator.inject(Fault.respond("status", 200, { body: { status: "DONE", response } }))
      const { stderr } = yield* command(["generate", "a fox", "-o", "-"], { env })
      expect(stderr).toContain("Save them to a directory: effect-arta watch 'a; b' -o images")
    }).pipe(onPort())
  )

  it.scopedLive("is the exit code of the process", () =>
    Effect.gen(function* () {
      const { env } = yield* setUp
      const { code, stderr, stdout } = yield* commandProcess(["watch", " "], { env })
      expect(code).toBe(2)
      expect(stderr).toMatch(/^The record id must be/m)
      expect(stdout).toBe("")
    }).pipe(onPort())
  )

  it.scopedLive("is the last line of --json too", () =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      yield* emulator.inject(Fault.failGeneration("NSFW"))
      const { stdout } = yield* command(["generate", "a fox", "--json", "-o", images], { env })
      const last = (yield* decodeLines(Line, stdout)).at(-1)
      expect(last).toMatchObject({ _tag: "Failed", error: "GenerationFailedError" })
    }).pipe(onPort())
  )

  it.scopedLive("shows its stack at log level debug only, and never a secret", () =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      yield* emulator.inject(Fault.respond("submit", 422, { body: { detail: "No such style" } }))
      const { code, stderr } = yield* command(["generate", "a fox", "--log-level", "debug", "-o", images], { env })
      expect(code).toBe(4)
      expect(stderr).toMatch(stack)
      expect(stderr).not.toContain(env["ARTA_API_KEY"])
    }).pipe(onPort())
  )
})
