import { HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { command, started } from "../../support/command.js"
import { onPort, setUp, timeout } from "../../support/commandWorld.js"
import { initialize, ToolResult, until } from "../../support/mcpWorld.js"
import { usedPort } from "../../support/usedPort.js"

const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "0" },
  "io.modelcontextprotocol/clientCapabilities": {}
}

const generate = (id: number) => ({
  id,
  method: "tools/call",
  params: { name: "generate_image", arguments: { prompt: "a fox", seed: 7 } }
})

const send = (request: HttpClientRequest.HttpClientRequest, headers: Record<string, string>) =>
  Effect.flatMap(HttpClient.HttpClient, (client) =>
    client.execute(HttpClientRequest.setHeaders(request, { accept: "application/json, text/event-stream", ...headers }))
  )

/** The command on a free port, and what a client sends to it. */
const served = Effect.gen(function* () {
  const { emulator, env, fs, images } = yield* setUp
  const { ended, interrupt, wrote } = yield* started(["mcp", "--directory", images, "--http", "0"], { env })
  const url = /http:\S+\/mcp/.exec(yield* wrote(/\/mcp\n/))?.[0] ?? ""
  const post = (headers: Record<string, string>, message: object, to = url) =>
    send(HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post(to), { jsonrpc: "2.0", ...message }), headers)
  const open = Effect.gen(function* () {
    const { headers, status, text } = yield* post({}, initialize)
    yield* text
    expect(status).toBe(200)
    return { "mcp-session-id": headers["mcp-session-id"] ?? "" }
  })
  const statusOf = (headers: Record<string, string>, message: object, to?: string) =>
    Effect.flatMap(post(headers, message, to), ({ status, text }) => Effect.as(text, status))
  return { emulator, ended, fs, images, interrupt, open, post, statusOf, url, wrote }
})

const Message = Schema.parseJson(Schema.Struct({ result: ToolResult }))

/** The result of a call, which comes as an event or as JSON. */
const resultOf = (body: string) =>
  Effect.map(Schema.decode(Message)(/^data: (.*"result".*)$/m.exec(body)?.[1] ?? body), ({ result }) => result)

const list = { id: 5, method: "tools/list" }

describe.concurrent("effect-arta mcp over HTTP", { timeout }, () => {
  it.scopedLive("serves programs of this machine, and no web page of another host", () =>
    Effect.gen(function* () {
      const { post, statusOf, url, wrote } = yield* served
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/)
      expect(yield* wrote(/Ctrl-C/)).toBe(`${url}\nServing until you press Ctrl-C.\n`)
      const foreign = yield* post({ host: "attacker.example" }, initialize)
      expect([foreign.status, yield* foreign.text]).toEqual([403, "This server is for this machine only."])
      expect(yield* statusOf({ origin: "https://attacker.example" }, initialize)).toBe(403)
      expect(yield* statusOf({ origin: "null" }, initialize)).toBe(403)
      expect(yield* statusOf({ origin: "http://localhost:3000" }, initialize)).toBe(200)
      expect(yield* statusOf({ "content-type": "text/plain" }, initialize)).toBe(415)
      const other = yield* post({}, initialize, url.replace("/mcp", "/other"))
      expect([other.status, yield* other.text]).toEqual([404, "Not found. The MCP endpoint is /mcp."])
    }).pipe(Effect.provide(NodeHttpClient.layer), onPort())
  )

  it.scopedLive("generates in a session, until the client ends it", () =>
    Effect.gen(function* () {
      const { emulator, fs, images, open, post, statusOf, url } = yield* served
      const session = yield* open
      const { structuredContent } = yield* resultOf(
        yield* Effect.flatMap(post(session, generate(2)), ({ text }) => text)
      )
      expect(structuredContent?.status).toBe("saved")
      expect(yield* fs.exists(`${images}/a-fox-7-0.png`)).toBe(true)

      const other = yield* open
      expect((yield* send(HttpClientRequest.del(url), session)).status).toBe(200)
      const gone = yield* post(session, generate(3))
      expect(gone.status).toBe(404)
      expect(yield* gone.json).toMatchObject({
        jsonrpc: "2.0",
        id: null,
        error: { code: -32_001, message: "Session not found. Initialize a new one." }
      })
      expect(yield* statusOf(other, list)).toBe(200)
      // A client of the 2025 protocol initializes a session first.
      expect(yield* statusOf({}, generate(4))).toBe(400)
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(Effect.provide(NodeHttpClient.layer), onPort())
  )

  it.scopedLive("generates for a client of the 2026 protocol, which opens no session", () =>
    Effect.gen(function* () {
      const { post } = yield* served
      const call = generate(1)
      const headers = {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": call.method,
        "mcp-name": call.params.name
      }
      const message = { ...call, params: { ...call.params, _meta: envelope } }
      const response = yield* post(headers, message)
      expect(response.headers["mcp-session-id"]).toBeUndefined()
      expect((yield* resultOf(yield* response.text)).structuredContent?.status).toBe("saved")
    }).pipe(Effect.provide(NodeHttpClient.layer), onPort())
  )

  it.scopedLive("keeps 256 sessions, and drops the oldest for the next", () =>
    Effect.gen(function* () {
      const { open, statusOf } = yield* served
      const sessions = yield* Effect.replicateEffect(open, 257)
      const [oldest = {}, second = {}] = sessions
      expect(yield* statusOf(oldest, list)).toBe(404)
      expect(yield* statusOf(second, list)).toBe(200)
      expect(yield* statusOf(sessions.at(-1) ?? {}, list)).toBe(200)
    }).pipe(Effect.provide(NodeHttpClient.layer), onPort())
  )

  it.scopedLive("stops with an open session, and says how to get the images of its generation", () =>
    Effect.gen(function* () {
      const { emulator, ended, images, interrupt, open, post } = yield* served
      const session = yield* open
      yield* Effect.forkScoped(Effect.flatMap(post(session, generate(2)), ({ text }) => text))
      yield* until(Effect.map(emulator.counts, ({ status }) => status > 0))
      yield* interrupt
      const { code, stderr } = yield* ended
      expect(code).toBe(130)
      expect(stderr).toMatch(/has accepted the generation (\S+)\. To get its images: effect-arta watch \1 -o /)
      expect(stderr).toContain(images)
      expect((yield* emulator.counts).submit).toBe(1)
    }).pipe(Effect.provide(NodeHttpClient.layer), onPort({ drawTime: "1 hour" }))
  )

  it.scopedLive("says what to do if another program uses its port", () =>
    Effect.gen(function* () {
      const { env, images } = yield* setUp
      const { port } = yield* usedPort
      const { code, stderr } = yield* command(["mcp", "--directory", images, "--http", String(port)], { env })
      expect(code).toBe(3)
      expect(stderr).toMatch(
        new RegExp(`Cannot serve on port ${String(port)}: .*EADDRINUSE.*\\. Try another --http port\\.`)
      )
    }).pipe(onPort())
  )
})
