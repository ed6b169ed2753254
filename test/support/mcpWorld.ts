import type { Duration } from "effect"
import { ConfigProvider, Effect, Option, Schedule, Schema } from "effect"
import type { JSONRPCMessage } from "@modelcontextprotocol/server"
import { InMemoryTransport } from "@modelcontextprotocol/server"
import { makeTools } from "../../src/cli/command/mcp/mcp.js"
import { makeServer } from "../../src/cli/command/mcp/server.js"
import type { Environment } from "./command.js"
import { setUp } from "./commandWorld.js"

const Content = Schema.Struct({
  type: Schema.String,
  text: Schema.optional(Schema.String),
  uri: Schema.optional(Schema.String),
  data: Schema.optional(Schema.String)
})

const Structured = Schema.Struct({
  status: Schema.optional(Schema.String),
  message: Schema.String,
  recordId: Schema.optional(Schema.String),
  seed: Schema.optional(Schema.Int),
  missing: Schema.optional(Schema.Int),
  images: Schema.optional(Schema.Array(Schema.Struct({ path: Schema.String, uri: Schema.String, bytes: Schema.Int }))),
  generations: Schema.optional(
    Schema.Array(
      Schema.Struct({ recordId: Schema.optional(Schema.String), isSaved: Schema.Boolean, isRunning: Schema.Boolean })
    )
  )
})

/** What a tool returned. */
export const ToolResult = Schema.Struct({
  content: Schema.Array(Content),
  structuredContent: Schema.optional(Structured),
  isError: Schema.optional(Schema.Boolean)
})

export type ToolResult = typeof ToolResult.Type

export const textOf = ({ content }: ToolResult): string => content.map(({ text }) => text ?? "").join("\n")

const decodeResult = Schema.decodeUnknown(ToolResult)

interface Progress {
  readonly progress: number
  readonly message: string
}

const isProgress = Schema.is(
  Schema.Struct({
    method: Schema.Literal("notifications/progress"),
    params: Schema.Struct({ progress: Schema.Number, message: Schema.String })
  })
)

/** The first request of a client of the 2025 protocol. */
export const initialize = {
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "0" } }
}

type Message = JSONRPCMessage & { readonly id?: unknown; readonly result?: unknown; readonly error?: unknown }

/** A client that speaks bare JSON-RPC with a server in this process. */
const connect = (transport: InMemoryTransport) => {
  const waiting = new Map<number, (message: Message) => void>()
  const progress: Array<Progress> = []
  let last = 0
  transport.onmessage = (message: Message) => {
    if (isProgress(message)) progress.push(message.params)
    else if (typeof message.id === "number") waiting.get(message.id)?.(message)
  }
  const send = (message: object) => transport.send({ jsonrpc: "2.0", ...message } as JSONRPCMessage)
  const start = (method: string, params: object) => {
    last += 1
    const id = last
    const response = new Promise<Message>((resolve) => waiting.set(id, resolve))
    return { id, response, sent: send({ id, method, params }) }
  }
  return { progress, send, start }
}

interface Options {
  /** How long a call waits before it hands back. */
  readonly patience?: Duration.DurationInput
  /** How many seconds a generation may take. */
  readonly timeout?: number
  /** Whether it is the emulator in memory that generates, and not the one of the test. */
  readonly emulator?: boolean
}

interface ServerOptions extends Options {
  readonly env: Environment
  readonly directory: string
}

/** What makes the server of the command for each client. */
export const mcpTools = ({ env, directory, emulator = false, patience = "30 seconds", timeout = 30 }: ServerOptions) =>
  Effect.map(
    makeTools(
      { directory: Option.some(directory), http: Option.none(), timeout, proxy: Option.none(), emulator },
      patience
    ).pipe(
      Effect.withConfigProvider(
        ConfigProvider.fromMap(
          new Map(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])))
        )
      )
    ),
    (tools) => () => makeServer(tools, "0.0.0")
  )

/** A client of a new server. */
export const mcpClient = (make: Effect.Effect.Success<ReturnType<typeof mcpTools>>) =>
  Effect.gen(function* () {
    const [ours, theirs] = InMemoryTransport.createLinkedPair()
    const server = make()
    yield* Effect.acquireRelease(
      Effect.promise(() => server.connect(theirs)),
      () => Effect.promise(() => server.close())
    )
    const client = connect(ours)
    const request = (method: string, params: object = {}) =>
      Effect.promise(async () => {
        const { response, sent } = client.start(method, params)
        await sent
        return await response
      })
    yield* request("initialize", initialize.params)
    yield* Effect.promise(() => client.send({ method: "notifications/initialized" }))

    const call = (name: string, args: object) =>
      request("tools/call", { name, arguments: args, _meta: { progressToken: "token" } }).pipe(
        Effect.flatMap(({ result }) => decodeResult(result)),
        Effect.orDie
      )
    return {
      request,
      progress: client.progress,
      generate: (args: object) => call("generate_image", args),
      check: (recordId?: string) => call("check_generation", { recordId }),
      /** Starts a call and cancels it once a condition is met. */
      cancelled: (args: object, condition: Effect.Effect<void>) =>
        Effect.gen(function* () {
          const { id } = client.start("tools/call", { name: "generate_image", arguments: args })
          yield* condition
          yield* Effect.promise(() =>
            client.send({ method: "notifications/cancelled", params: { requestId: id, reason: "test" } })
          )
        })
    }
  })

/** The MCP server of the command in this process, on the emulator of the test. */
export const mcpServer = (options: ServerOptions) => Effect.flatMap(mcpTools(options), mcpClient)

/** A server with a directory of its own, and the emulator that counts. */
export const world = (options: Options = {}) =>
  Effect.gen(function* () {
    const made = yield* setUp
    const server = yield* mcpServer({ env: made.env, directory: made.images, ...options })
    return { ...made, ...server, submissions: Effect.map(made.emulator.counts, ({ submit }) => submit) }
  })

/** Waits until something has happened in the background. */
export const until = <E>(condition: Effect.Effect<boolean, E>): Effect.Effect<void> =>
  condition.pipe(
    Effect.orElseSucceed(() => false),
    Effect.repeat({ until: (met) => met, schedule: Schedule.spaced("10 millis") }),
    Effect.asVoid
  )
