import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { PassThrough } from "node:stream"
import { serveOverStdio } from "../../../src/cli/command/mcp/stdio.js"
import { lines } from "../../support/command.js"
import { onPort, setUp, timeout } from "../../support/commandWorld.js"
import { initialize, mcpTools, until } from "../../support/mcpWorld.js"

interface Response {
  readonly id?: string | number
  readonly result?: unknown
  readonly error?: { readonly code: number }
}

const initialized = { method: "notifications/initialized" }

const envelope = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "test", version: "0" },
  "io.modelcontextprotocol/clientCapabilities": {}
}

const generate = (id: string | number) => ({
  id,
  method: "tools/call",
  params: { name: "generate_image", arguments: { prompt: "a fox", seed: 7 } }
})

/** The server on streams, as it is on standard input and output. */
const served = Effect.gen(function* () {
  const { env, images, emulator, fs } = yield* setUp
  const input = new PassThrough()
  const output = new PassThrough({ encoding: "utf8" })
  let written = ""
  output.on("data", (chunk: string) => {
    written += chunk
  })
  const responses = () =>
    lines(written)
      .map((line) => JSON.parse(line) as Response)
      .filter(({ id }) => id !== undefined)
  const make = yield* mcpTools({ env, directory: images })
  const fiber = yield* Effect.forkScoped(serveOverStdio(make, { input, output }))
  return {
    emulator,
    fs,
    images,
    input,
    fiber,
    send: (...messages: ReadonlyArray<object>) =>
      Effect.sync(() => {
        for (const message of messages) input.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
      }),
    end: Effect.sync(() => input.end()),
    responded: (id: string | number) => until(Effect.sync(() => responses().some((response) => response.id === id))),
    /** All responses, once the server has ended. */
    responses: Effect.map(Fiber.join(fiber), responses),
    written: responses,
    isSubmitted: Effect.map(emulator.counts, ({ status }) => status > 0)
  }
})

const idsOf = (responses: ReadonlyArray<Response>) => responses.map(({ id }) => id)

describe.concurrent("effect-arta mcp over standard input and output", { timeout }, () => {
  it.scopedLive("responds to all that it has read before it ends", () =>
    Effect.gen(function* () {
      const { end, fs, images, responses, send } = yield* served
      yield* send(initialize, initialized, generate("one"), { id: 3, method: "tools/list" })
      yield* end
      expect(idsOf(yield* responses)).toEqual([1, 3, "one"])
      expect(yield* fs.exists(`${images}/a-fox-7-0.png`)).toBe(true)
    }).pipe(onPort())
  )

  it.scopedLive("serves until its input ends", () =>
    Effect.gen(function* () {
      const { end, fiber, responded, responses, send } = yield* served
      yield* send(initialize, initialized, generate(2))
      yield* responded(2)
      yield* send({ id: 3, method: "unknown" }, { id: 9, result: {} })
      yield* responded(3)
      expect(yield* Fiber.poll(fiber)).toEqual(Option.none())
      yield* send({ id: 4, method: "ping" })
      yield* end
      const all = yield* responses
      expect(idsOf(all)).toEqual([1, 2, 3, 4])
      expect(all[2]?.error?.code).toBe(-32_601)
    }).pipe(onPort())
  )

  it.scopedLive("does not wait for a call that was cancelled", () =>
    Effect.gen(function* () {
      const { end, isSubmitted, responses, send } = yield* served
      yield* send(initialize, initialized, generate(2), generate("three"))
      yield* until(isSubmitted)
      yield* send({ method: "notifications/progress", params: { requestId: 2 } })
      yield* send({ method: "notifications/cancelled" })
      yield* send({ method: "notifications/cancelled", params: { requestId: 2 } })
      yield* send({ method: "notifications/cancelled", params: { requestId: "three" } })
      yield* end
      expect(idsOf(yield* responses)).toEqual([1])
    }).pipe(onPort({ queueTime: "1 hour" }))
  )

  it.scopedLive("waits for a call although another request has been cancelled", () =>
    Effect.gen(function* () {
      const { end, isSubmitted, responses, send } = yield* served
      yield* send(initialize, initialized, generate(2))
      yield* until(isSubmitted)
      yield* send({ method: "notifications/cancelled", params: { requestId: 5 } }, { method: "notifications/progress" })
      yield* end
      expect(idsOf(yield* responses)).toEqual([1, 2])
    }).pipe(onPort())
  )

  it.scopedLive("serves nothing more once it is interrupted", () =>
    Effect.gen(function* () {
      const { fiber, input, responded, send, written } = yield* served
      yield* send(initialize, initialized)
      yield* responded(1)
      yield* Fiber.interrupt(fiber)
      yield* send({ id: 2, method: "ping" })
      yield* Effect.promise(() => new Promise<void>((resolve) => input.once("finish", resolve).end()))
      expect(idsOf(written())).toEqual([1])
    }).pipe(onPort())
  )

  it.scopedLive("does not wait for a subscription, which has no end", () =>
    Effect.gen(function* () {
      const { end, responses, send } = yield* served
      yield* send(
        { id: 1, method: "tools/list", params: { _meta: envelope } },
        { id: 2, method: "subscriptions/listen", params: { _meta: envelope, notifications: {} } }
      )
      yield* end
      expect(idsOf(yield* responses)).toContain(1)
    }).pipe(onPort())
  )

  it.scopedLive("reads on after a line that is no message", () =>
    Effect.gen(function* () {
      const { end, input, responses, send } = yield* served
      yield* send(initialize, initialized)
      input.write("{\n\n")
      yield* send({ id: 2, method: "ping" })
      yield* end
      expect(idsOf(yield* responses)).toEqual([1, 2])
    }).pipe(onPort())
  )

  it.scopedLive.each([undefined, new Error("read EIO")])("ends if its input breaks off: %s", (error) =>
    Effect.gen(function* () {
      const { input, responded, responses, send } = yield* served
      yield* send(initialize, initialized)
      yield* responded(1)
      input.destroy(error)
      expect(idsOf(yield* responses)).toEqual([1])
    }).pipe(onPort())
  )
})
