import { HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { lines } from "../../support/command.js"
import { commandProcess, startProcess } from "../../support/commandProcess.js"
import { onPort, setUp, timeout } from "../../support/commandWorld.js"
import { until } from "../../support/mcpWorld.js"

const initialize = {
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "0" } }
}

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

  it.scopedLive("serves HTTP to this machine only, and stops with an open session", () =>
    Effect.gen(function* () {
      const { directory, emulator, env, images } = yield* setUp
      const child = yield* startProcess(["mcp", "--directory", images, "--http", "0"], { env, cwd: directory })
      const url = /http:\S+\/mcp/.exec(yield* child.wrote(/\/mcp\n/))?.[0] ?? ""
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/)
      const post = (headers: Record<string, string>, message: object, to = url) =>
        HttpClientRequest.post(to).pipe(
          HttpClientRequest.bodyUnsafeJson({ jsonrpc: "2.0", ...message }),
          HttpClientRequest.setHeaders({ accept: "application/json, text/event-stream", ...headers }),
          (request) => Effect.flatMap(HttpClient.HttpClient, (client) => client.execute(request))
        )
      const statuses = yield* Effect.forEach(
        [
          post({ host: "attacker.example" }, initialize),
          post({ origin: "https://attacker.example" }, initialize),
          post({ origin: "null" }, initialize),
          post({}, initialize, url.replace("/mcp", "/other")),
          post({ "mcp-session-id": "unknown" }, generate(2)),
          post({}, generate(2)),
          post({ "content-type": "text/plain" }, initialize)
        ],
        (response) => Effect.map(response, ({ status }) => status)
      )
      expect(statuses).toEqual([403, 403, 403, 404, 404, 400, 415])

      const opened = yield* post({ origin: "http://localhost:3000" }, initialize)
      expect(opened.status).toBe(200)
      const session = { "mcp-session-id": opened.headers["mcp-session-id"] ?? "" }
      yield* opened.text
      yield* Effect.forkScoped(Effect.flatMap(post(session, generate(2)), ({ text }) => text))
      yield* until(Effect.map(emulator.counts, ({ status }) => status > 0))
      yield* child.signal("SIGTERM")
      const { code, stderr } = yield* child.ended
      expect(code).toBe(130)
      expect(stderr).toContain("effect-arta watch")
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(Effect.provide(NodeHttpClient.layer), onPort({ drawTime: "1 hour" }))
  )
})
