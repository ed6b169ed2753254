import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { lines } from "../../support/command.js"
import { commandProcess, startProcess } from "../../support/commandProcess.js"
import { onPort, setUp, timeout } from "../../support/commandWorld.js"
import { initialize, until } from "../../support/mcpWorld.js"

const generate = (id: number) => ({
  id,
  method: "tools/call",
  params: { name: "generate_image", arguments: { prompt: "a fox", seed: 7 }, _meta: { progressToken: id } }
})

const input = (...messages: ReadonlyArray<object>): string =>
  messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join("")

const parsed = (output: string) =>
  lines(output).map((line) => JSON.parse(line) as { readonly jsonrpc: string; readonly id?: number })

describe.concurrent("The process of effect-arta mcp", { timeout }, () => {
  it.scopedLive("responds to all that is piped into it, prints nothing else, and ends", () =>
    Effect.gen(function* () {
      const { directory, env, fs, images } = yield* setUp
      // Causes a warning.
      yield* fs.writeFileString(`${directory}/credentials.json`, "{")
      const { code, stderr, stdout } = yield* commandProcess(["mcp", "--directory", images, "--log-level", "all"], {
        env,
        input: input(initialize, { method: "notifications/initialized" }, generate(2), { id: 3, method: "tools/list" })
      })
      expect(code).toBe(0)
      const messages = parsed(stdout)
      expect(messages.every(({ jsonrpc }) => jsonrpc === "2.0")).toBe(true)
      expect(stderr).toMatch(/set aside/)
      expect(messages.flatMap(({ id }) => id ?? []).sort()).toEqual([1, 2, 3])
      expect(yield* fs.exists(`${images}/a-fox-7-0.png`)).toBe(true)
    }).pipe(onPort())
  )

  it.scopedLive("works on the emulator without a key, and keeps no images in memory only", () =>
    Effect.gen(function* () {
      const { fs, images } = yield* setUp
      const { stdout } = yield* commandProcess(["mcp", "--directory", images, "--emulator"], {
        input: input(initialize, { method: "notifications/initialized" }, generate(2))
      })
      expect(stdout).toContain(`${images}/a-fox-7-0.png`)
      expect(yield* fs.exists(`${images}/a-fox-7-0.png`)).toBe(true)
    }).pipe(onPort())
  )

  // fault: Process | effect-arta mcp is stopped while a generation runs | the command that gets its images, and the record id in the journal
  it.scopedLive("says how to get the images of a generation if it is stopped", () =>
    Effect.gen(function* () {
      const { emulator, env, images } = yield* setUp
      const child = yield* startProcess(["mcp", "--directory", images], {
        env,
        input: input(initialize, { method: "notifications/initialized" }, generate(2))
      })
      yield* until(Effect.map(emulator.counts, ({ status }) => status > 0))
      yield* child.signal("SIGTERM")
      const { code, stderr } = yield* child.ended
      expect(code).toBe(130)
      expect(stderr).toMatch(/has accepted the generation (\S+)\. To get its images: effect-arta watch \1 -o /)
    }).pipe(onPort({ drawTime: "1 hour" }))
  )
})
