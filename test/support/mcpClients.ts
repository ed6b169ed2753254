import { Effect, Schema } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { Environment } from "./command.js"
import { plainEnvironment } from "./commandProcess.js"
import { ToolResult } from "./mcpWorld.js"

const packages = ["@modelcontextprotocol/sdk@1.32.2", "@modelcontextprotocol/client@2.4.0"]
const versionsUntil = "2026-11-20"

/** Only these tests need the clients, so they are no dependencies of the package. */
const directory = fileURLToPath(new URL("../../node_modules/.cache/mcp-clients-1.32.2-2.4.0", import.meta.url))

/** Installs the clients if they are missing. The date pins the versions of their dependencies. */
export const installClients = () => {
  if (existsSync(join(directory, "node_modules", ".package-lock.json"))) return
  const options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--before", versionsUntil]
  execFileSync("npm", ["install", "--prefix", directory, ...options, ...packages], { stdio: "inherit" })
}

interface CallOptions {
  readonly timeout?: number
  readonly signal?: AbortSignal
  readonly onprogress?: (progress: { readonly message?: string }) => void
}

interface TheirClient {
  onerror?: (error: Error) => void
  readonly connect: (transport: unknown) => Promise<void>
  readonly close: () => Promise<void>
  readonly callTool: (params: object, ...options: ReadonlyArray<unknown>) => Promise<unknown>
  readonly listTools: () => Promise<{ readonly tools: ReadonlyArray<{ readonly name: string }> }>
  readonly readResource: (params: { readonly uri: string }) => Promise<{ readonly contents: ReadonlyArray<object> }>
}

interface TheirModules {
  readonly Client: new (info: object, options: object) => TheirClient
  readonly StdioClientTransport: new (options: object) => unknown
  readonly StreamableHTTPClientTransport: new (url: URL) => unknown
}

const load = async (...files: ReadonlyArray<string>): Promise<TheirModules> => {
  const modules: ReadonlyArray<object> = await Promise.all(
    files.map((file) => import(pathToFileURL(join(directory, "node_modules/@modelcontextprotocol", file)).href))
  )
  return Object.assign({}, ...modules) as TheirModules
}

const sdk = "sdk/dist/esm/client"

/** The real clients, each with a protocol that it speaks. */
export const clients = {
  "@modelcontextprotocol/sdk 1.32": {
    load: () => load(`${sdk}/index.js`, `${sdk}/stdio.js`, `${sdk}/streamableHttp.js`),
    options: {},
    call: (client: TheirClient, params: object, options: CallOptions) => client.callTool(params, undefined, options)
  },
  "@modelcontextprotocol/client 2.4 with protocol 2025-11-25": {
    load: () => load("client/dist/index.mjs", "client/dist/stdio.mjs"),
    options: { versionNegotiation: { mode: "legacy" } },
    call: (client: TheirClient, params: object, options: CallOptions) => client.callTool(params, options)
  },
  "@modelcontextprotocol/client 2.4 with protocol 2026-07-28": {
    load: () => load("client/dist/index.mjs", "client/dist/stdio.mjs"),
    options: { versionNegotiation: { mode: { pin: "2026-07-28" } } },
    call: (client: TheirClient, params: object, options: CallOptions) => client.callTool(params, options)
  }
} as const

export type ClientName = keyof typeof clients

/** How a client reaches the server: a command that it starts, or the URL of a server that runs. */
export type Address = { readonly command: ReadonlyArray<string>; readonly env: Environment } | { readonly url: string }

const transportTo = (address: Address, { StdioClientTransport, StreamableHTTPClientTransport }: TheirModules) =>
  "url" in address
    ? new StreamableHTTPClientTransport(new URL(address.url))
    : new StdioClientTransport({
        command: process.execPath,
        args: address.command,
        env: { ...plainEnvironment(), ...address.env },
        stderr: "ignore"
      })

const decodeResult = Schema.decodeUnknown(ToolResult)

/** Connects a client. `errors` collects what it could not read, such as a line that is no message. */
export const connectClient = (name: ClientName, address: Address) =>
  Effect.gen(function* () {
    const { call, load, options } = clients[name]
    const modules = yield* Effect.promise(load)
    const errors: Array<Error> = []
    const client = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const client = new modules.Client({ name: "test", version: "0" }, options)
        client.onerror = (error) => errors.push(error)
        await client.connect(transportTo(address, modules))
        return client
      }),
      (client) => Effect.promise(() => client.close())
    )
    return {
      errors,
      client,
      call: (tool: string, args: object, options: CallOptions = {}) =>
        Effect.tryPromise(() => call(client, { name: tool, arguments: args }, options)).pipe(
          Effect.flatMap((result) => Effect.orDie(decodeResult(result)))
        )
    }
  })
