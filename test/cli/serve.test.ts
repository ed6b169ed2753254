import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { command, lines, started } from "../support/command.js"
import { usedPort } from "../support/usedPort.js"

describe("The command serve", () => {
  it.scopedLive(
    "prints the variables of OpenAI's clients, and its new key nowhere else but in the link's fragment",
    () =>
      Effect.gen(function* () {
        const { ended, interrupt, wrote } = yield* started(["serve", "--emulator", "--port", "0"])
        yield* wrote(/A page.*\n/)
        yield* interrupt
        const { stderr, stdout } = yield* ended
        const [base, key] = lines(stdout)
        expect(lines(stdout)).toHaveLength(2)
        expect(base).toMatch(/^export OPENAI_BASE_URL="http:\/\/127\.0\.0\.1:\d+\/v1"$/)
        expect(key).toMatch(/^export OPENAI_API_KEY="sk-arta-[\w-]{32}"$/)
        const [, value = "none"] = /"(.*)"/.exec(key ?? "") ?? []
        expect(stderr.split(value)).toHaveLength(2)
        expect(stderr).toContain(`/#key=${value}`)
      })
  )

  it.scopedLive("makes another key for each start", () =>
    Effect.gen(function* () {
      const keyOf = Effect.flatMap(started(["serve", "--emulator", "--port", "0"]), ({ wrote }) =>
        Effect.map(wrote(/A page.*\n/), (output) => /OPENAI_API_KEY="(.*)"/.exec(output)?.[1])
      )
      expect(yield* keyOf).not.toBe(yield* keyOf)
    })
  )

  it.effect.each(["0.0.0.0", "::", "192.168.1.2"])("does not start on %s without a key of the user", (host) =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* command(["serve", "--emulator", "--port", "0", "--host", host])
      expect(code).toBe(2)
      expect(stdout).toBe("")
      expect(stderr).toContain(
        `Other machines can reach ${host}, so the server needs a key of yours: set ARTA_SERVER_KEY`
      )
    })
  )

  it.scopedLive("says what to do if another program uses its port", () =>
    Effect.gen(function* () {
      const { port } = yield* usedPort
      const { code, stderr, stdout } = yield* command(["serve", "--emulator", "--port", String(port)])
      expect(code).toBe(3)
      expect(stdout).toBe("")
      expect(stderr).toContain(
        `Another program uses port ${String(port)}. Stop it, or choose another --port. 0 takes a free one.`
      )
    })
  )
})
