import * as Undici from "@effect/platform-node/Undici"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { InvalidRequestError } from "../../ArtaError.js"
import { Connections } from "./connections.js"

// A proxy that does not respond to CONNECT counts as unreachable as early as one that does not accept a connection.
const tunnelTimeout = 10_000

/**
 * undici starts over, without end, after a connection failure with one of the first two codes, which is what a proxy
 * causes that closes a connection instead of opening a tunnel.
 */
const otherCodes: Record<string, string> = {
  UND_ERR_SOCKET: "ECONNRESET",
  UND_ERR_INFO: "ECONNRESET",
  UND_ERR_HEADERS_TIMEOUT: "UND_ERR_CONNECT_TIMEOUT"
}

const withOtherCode = (error: Error): Error => {
  const code = "code" in error ? otherCodes[String(error.code)] : undefined
  return code === undefined ? error : Object.assign(new Error(error.message, { cause: error }), { code })
}

/** Makes a connector whose failures end the request. */
const failFinally =
  (connect: Undici.buildConnector.connector): Undici.buildConnector.connector =>
  (options, callback) => {
    connect(options, (error, socket) => {
      if (error instanceof Error) callback(withOtherCode(error), null)
      else if (socket?.destroyed === false) callback(null, socket)
      else callback(Object.assign(new Error("the proxy closed the tunnel"), { code: "ECONNRESET" }), null)
    })
  }

/** undici's agents, together with their connections. */
export interface Agent {
  /** The agents for each protocol. */
  readonly http: Undici.Dispatcher
  readonly https: Undici.Dispatcher
  readonly connections: Connections
}

const agentOptions = (connections: Connections) => ({
  // Many proxies refuse to tunnel to port 80, so plain HTTP goes to the proxy without a tunnel. HTTPS is always
  // tunneled.
  proxyTunnel: false,
  // Only proxies come with a connector.
  clientFactory: (origin: URL, { connect, ...options }: Undici.Pool.Options) =>
    new Undici.Pool(origin, {
      ...options,
      headersTimeout: tunnelTimeout,
      ...(typeof connect === "function" && { connect: connections.connector(connect) })
    }),
  factory: (origin: string | URL, options: Undici.Pool.Options) =>
    new Undici.Pool(origin, {
      ...options,
      connect: connections.connector(
        typeof options.connect === "function" ? failFinally(options.connect) : Undici.buildConnector({})
      )
    })
})

/** undici itself sends no user without a password. */
const authorization = (uri: string) => {
  if (uri === "") return {}
  const { password, username } = new URL(uri)
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return user === ":" ? {} : { token: `Basic ${Buffer.from(user).toString("base64")}` }
}

const proxyAgent = (uri: string): Agent => {
  const connections = new Connections()
  const agent = new Undici.ProxyAgent({ ...agentOptions(connections), ...authorization(uri), uri })
  return { http: agent, https: agent, connections }
}

/** Checks a proxy. Its URL may contain a password, so no error repeats it. */
const checkProxy = (field: string, uri: string): Effect.Effect<void, InvalidRequestError> =>
  Effect.try(() => proxyAgent(uri)).pipe(
    Effect.filterOrFail(() => /^\s*https?:\/\//i.test(uri)),
    Effect.mapError(
      () => new InvalidRequestError({ field, value: "<redacted>", allowed: "a URL such as http://proxy.example:3128" })
    ),
    Effect.asVoid
  )

/** The first of the environment variables that is set, even if it is empty: it may switch off the others. */
const variable = (...names: ReadonlyArray<string>) => {
  const name = names.find((name) => process.env[name] !== undefined) ?? ""
  return { name, value: process.env[name] ?? "" }
}

type MakeAgent = () => Agent

const environmentAgent: Effect.Effect<MakeAgent, InvalidRequestError> = Effect.gen(function* () {
  const http = variable("http_proxy", "HTTP_PROXY")
  const https = variable("https_proxy", "HTTPS_PROXY")
  for (const { name, value } of [http, https]) {
    if (value !== "") yield* checkProxy(name, value)
  }
  const { value } = variable("no_proxy", "NO_PROXY")
  // undici supports `*` only as the whole value.
  const noProxy = value.split(/[\s,]+/).includes("*") ? "*" : value
  const httpsProxy = https.value === "" ? http.value : https.value
  return () => {
    const connections = new Connections()
    // An agent sends the same user to both of its proxies.
    const agentOver = (proxy: string) =>
      new Undici.EnvHttpProxyAgent({
        ...agentOptions(connections),
        ...authorization(proxy),
        httpProxy: proxy,
        httpsProxy: proxy,
        noProxy
      })
    const agent = agentOver(httpsProxy)
    return { http: http.value === httpsProxy ? agent : agentOver(http.value), https: agent, connections }
  }
})

/** The URL of a proxy, and the name of the option or variable that it is from. */
export interface ProxyOption {
  readonly name: string
  readonly url: Redacted.Redacted | string | undefined
}

/** Returns a constructor of agents that use the proxy, or the proxies of the environment. */
export const agentFor = ({ name, url }: ProxyOption): Effect.Effect<MakeAgent, InvalidRequestError> => {
  if (url === undefined) return environmentAgent
  const uri = Redacted.isRedacted(url) ? Redacted.value(url) : url
  return Effect.as(checkProxy(name, uri), () => proxyAgent(uri))
}
