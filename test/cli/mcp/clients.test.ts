import { beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { encode } from "fast-png"
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { main, startProcess } from "../../support/commandProcess.js"
import { onPort, setUp } from "../../support/commandWorld.js"
import type { ClientName } from "../../support/mcpClients.js"
import { clients, connectClient, installClients } from "../../support/mcpClients.js"
import type { ToolResult } from "../../support/mcpWorld.js"
import { textOf, until } from "../../support/mcpWorld.js"

type TransportName = "stdio" | "HTTP"

/** The command as a process, with a client that is connected to it. */
const connected = (name: ClientName, transport: TransportName, flags: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const made = yield* setUp
    const { directory, emulator, env, images } = made
    const args = ["mcp", "--directory", images, ...flags]
    const address = yield* transport === "stdio"
      ? Effect.succeed({ command: [main, ...args], env })
      : Effect.map(
          Effect.flatMap(startProcess([...args, "--http", "0"], { env, cwd: directory }), ({ wrote }) =>
            wrote(/http:\/\/\S+\/mcp\n/)
          ),
          (text) => ({ url: /http:\/\/\S+\/mcp/.exec(text)?.[0] ?? "" })
        )
    const client = yield* connectClient(name, address)
    return { ...made, ...client, submissions: Effect.map(emulator.counts, ({ submit }) => submit) }
  })

const large = () => Buffer.from(encode({ width: 1000, height: 1000, channels: 3, data: randomBytes(3_000_000) }))

/** A server with one large image. */
const imageServer = Effect.acquireRelease(
  Effect.promise(async () => {
    const image = large()
    const server = createServer((_, response) => response.setHeader("content-type", "image/png").end(image))
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    return { server, url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/image.png` }
  }),
  ({ server }) => Effect.sync(() => server.close())
)

interface Row {
  readonly name: string
  readonly faults: ReadonlyArray<Fault.Fault>
  readonly status: string
  readonly says: RegExp
  /** What check_generation says then. */
  readonly then?: string
}

const empty = { body: { status: "DONE", response: [] } }
const forbidden = Fault.respond("image", 403)

// The last row leaves a rate limit behind.
const rows: ReadonlyArray<Row> = [
  { name: "lost", faults: [Fault.drop("submit", { handled: true })], status: "unknown", says: /may or may not/ },
  { name: "refused with 500", faults: [Fault.respond("submit", 500)], status: "unknown", says: /may or may not/ },
  { name: "failed", faults: [Fault.failGeneration("FAILED", "NSFW")], status: "failed", says: /FAILED: NSFW/ },
  { name: "empty", faults: [Fault.respond("status", 200, empty)], status: "failed", says: /no image/ },
  { name: "not downloaded", faults: [forbidden, forbidden], status: "failed", says: /403/, then: "saved" },
  {
    name: "limited after the submission",
    faults: [Fault.respond("status", 429, { headers: { "retry-after": "1" } })],
    status: "saved",
    says: /Saved 1 image/
  },
  { name: "too slow", faults: [Fault.hang("status")], status: "failed", says: /has not finished/, then: "saved" },
  {
    name: "limited before the submission",
    faults: [Fault.respond("submit", 429, { headers: { "retry-after": "600" } })],
    status: "not_accepted",
    says: /nothing is charged/
  }
]

const cells = Object.keys(clients).flatMap((name) =>
  (["stdio", "HTTP"] as const).map((transport) => [name as ClientName, transport] as const)
)

const statusOf = ({ structuredContent }: ToolResult) => structuredContent?.status

/** Runs one row, and returns how many submissions reached the service. */
const runRow = (
  { faults, name, says, status, then }: Row,
  { call, emulator }: Effect.Effect.Success<ReturnType<typeof connected>>
) =>
  Effect.gen(function* () {
    const before = (yield* emulator.counts).submit
    yield* Effect.forEach(faults, (fault) => emulator.inject(fault))
    const result = yield* call("generate_image", { prompt: name })
    expect(statusOf(result), name).toBe(status)
    expect(textOf(result)).toMatch(says)
    const { recordId } = result.structuredContent ?? {}
    expect(textOf(result)).toContain(recordId ?? "charged")
    if (then !== undefined) expect(statusOf(yield* call("check_generation", { recordId })), name).toBe(then)
    return (yield* emulator.counts).submit - before
  })

beforeAll(installClients, 300_000)

const timeout = 300_000

describe.each(cells)("%s over %s", { timeout }, (name, transport) => {
  it.scopedLive("gets the tools, images of 3 MB, their files, and progress", () =>
    Effect.gen(function* () {
      const { call, client, emulator, errors, fs, images } = yield* connected(name, transport, ["--log-level", "all"])
      const { tools } = yield* Effect.promise(() => client.listTools())
      expect(tools.map(({ name }) => name)).toEqual(["generate_image", "check_generation"])
      const { url } = yield* imageServer
      yield* emulator.inject(Fault.respond("status", 200, { body: { status: "DONE", response: [{ url }] } }))
      const progress: Array<string> = []
      const result = yield* call(
        "generate_image",
        { prompt: "a fox", seed: 7 },
        { onprogress: ({ message }) => progress.push(message ?? "") }
      )
      expect(statusOf(result)).toBe("saved")
      expect(result.content.map(({ type }) => type)).toEqual(["text", "resource_link"])
      expect(Number((yield* fs.stat(`${images}/a-fox-7-0.png`)).size)).toBeGreaterThan(3_000_000)
      expect(progress.length).toBeGreaterThan(0)
      const read = yield* Effect.promise(() => client.readResource({ uri: result.content[1]?.uri ?? "" }))
      expect(JSON.stringify(read.contents).length).toBeGreaterThan(4_000_000)
      expect(errors).toEqual([])
    }).pipe(onPort())
  )

  it.scopedLive("submits at most once, whatever happens", () =>
    Effect.gen(function* () {
      const world = yield* connected(name, transport, ["--timeout", "10"])
      const submitted = yield* Effect.forEach(rows, (row) => runRow(row, world))
      expect(submitted).toEqual(rows.map(() => 1))
      expect(world.errors).toEqual([])
    }).pipe(onPort())
  )

  it.scopedLive("gets the images of a call that it cancelled or gave up", () =>
    Effect.gen(function* () {
      const { call, fs, images, submissions } = yield* connected(name, transport)
      const fox = { prompt: "a fox", seed: 7 }
      const controller = new AbortController()
      const cancelled = yield* Effect.fork(Effect.flip(call("generate_image", fox, { signal: controller.signal })))
      yield* until(Effect.map(submissions, (count) => count > 0))
      controller.abort()
      yield* cancelled
      const again = yield* Effect.repeat(call("generate_image", fox), { until: (next) => statusOf(next) === "saved" })
      expect(textOf(again)).toMatch(/earlier, equal call/)
      expect(yield* submissions).toBe(1)

      const hare = { prompt: "a hare", seed: 7 }
      yield* Effect.flip(call("generate_image", hare, { timeout: 5_000 }))
      yield* until(fs.exists(`${images}/a-hare-7-0.png`))
      expect(statusOf(yield* call("generate_image", hare))).toBe("saved")
      expect(yield* submissions).toBe(2)
    }).pipe(onPort({ drawTime: "8 seconds" }))
  )
})

describe("A client with its default timeout of 60 seconds", { timeout }, () => {
  it.scopedLive("gets a generation of 65 seconds", () =>
    Effect.gen(function* () {
      const { call, submissions } = yield* connected("@modelcontextprotocol/sdk 1.32", "stdio")
      const first = yield* call("generate_image", { prompt: "a fox" })
      expect(statusOf(first)).toBe("running")
      const { recordId } = first.structuredContent ?? {}
      const last = yield* call("check_generation", { recordId })
      expect(last.structuredContent).toMatchObject({ status: "saved", recordId })
      expect(yield* submissions).toBe(1)
    }).pipe(onPort({ drawTime: "65 seconds" }))
  )
})
