import { describe, expect, it, vi } from "@effect/vitest"
import type { Scope } from "effect"
import { Effect, Fiber } from "effect"
import type { ArtaError } from "effect-arta"
import { Arta, ArtaApi } from "effect-arta"
import type { NodeArta } from "effect-arta/node"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { selfSigned } from "../support/certificate.js"
import { closedPort } from "../support/closedPort.js"
import { faultServer, head, respond } from "../support/faultServer.js"
import { settle } from "../support/settle.js"
import { tcpServer } from "../support/tcpServer.js"
import { runToEnd } from "../support/withEmulator.js"
import { poll, submission, submit, until, withSession } from "../support/withSession.js"

const tunnelOnly: Parameters<typeof tcpServer>[0] = (socket, data) => {
  if (data.startsWith("CONNECT")) socket.write("HTTP/1.1 200 OK\r\n\r\n")
}

interface Service {
  readonly url: string
  /** The requests that arrived. */
  readonly requests: ReadonlyArray<string>
}

const tlsServer = Effect.acquireRelease(
  Effect.async<Service & { readonly close: () => void }>((resume) => {
    const requests: Array<string> = []
    const server = createServer(selfSigned(), (request, response) => {
      requests.push(`${request.method ?? ""} ${request.url ?? ""}`)
      response.end()
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(
        Effect.succeed({
          url: `https://127.0.0.1:${String(port)}`,
          requests,
          close: () => {
            server.closeAllConnections()
          }
        })
      )
    })
  }),
  ({ close }) => Effect.sync(close)
)

const overTls = (react: Parameters<typeof tcpServer>[0]) =>
  Effect.map(tcpServer(react), ({ port, received }) => ({
    url: `https://127.0.0.1:${String(port)}`,
    requests: received
  }))

const urlOf = ({ port }: { readonly port: number }) => `http://127.0.0.1:${String(port)}`

const unreachable = (url: string) => Effect.succeed({ url, requests: [] })

describe.concurrent("NodeArta, before it is connected", () => {
  // fault: Submit | No connection: refused, no such host, TLS fails in any way | `TransportError` with `sent: false`, no POST
  it.scopedLive.each<[string, Effect.Effect<Service, never, Scope.Scope>]>([
    ["a refused connection", unreachable(`http://127.0.0.1:${String(closedPort)}`)],
    ["all addresses refused", unreachable(`http://localhost:${String(closedPort)}`)],
    ["an unknown host", unreachable("https://arta.invalid")],
    ["a self-signed certificate", tlsServer],
    ["https to an http port", overTls((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))],
    ["a reset in the TLS handshake", overTls((socket) => socket.resetAndDestroy())],
    ["a close in the TLS handshake", overTls((socket) => socket.end())],
    ["a plain text in the TLS handshake", overTls((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"))]
  ])("sends nothing: %s", ([, start]) =>
    Effect.gen(function* () {
      const service = yield* start
      const error = yield* Effect.flip(submit({ apiUrl: `${service.url}/api` }))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "submit", sent: false })
      expect(service.requests.filter((request) => request.startsWith("POST"))).toEqual([])
    })
  )

  it.scopedLive.each(["reset", "close"] as const)("a %s after the request leaves the submission unknown", (then) =>
    Effect.gen(function* () {
      const { url, requests } = yield* faultServer({ "/api": [{ then }] })
      const error = yield* Effect.flip(submit({ apiUrl: `${url}/api` }))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(requests).toHaveLength(1)
    })
  )

  // fault: Submit | A proxy refuses every tunnel, or closes the connection | `TransportError` with `sent: false` after four connections
  it.scopedLive.each<[string, string, Parameters<typeof tcpServer>[0]]>([
    ["closes the connection", "", (socket) => socket.end()],
    ["resets the connection", "", (socket) => socket.resetAndDestroy()],
    ["responds with 403", "(HTTP 403)", (socket) => socket.end("HTTP/1.1 403 Forbidden\r\n\r\n")],
    ["responds with 302", "(HTTP 302)", (socket) => socket.end("HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n")],
    ["responds with 502", "(HTTP 502)", (socket) => socket.write("HTTP/1.1 502 No\r\ncontent-length: 2\r\n\r\nno")],
    ["does not speak HTTP", "", (socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n")],
    ["closes the tunnel", "", (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n")],
    ["resets the tunnel", "", (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n", () => socket.resetAndDestroy())]
  ])("a proxy %s", ([, says, react]) =>
    Effect.gen(function* () {
      const proxy = yield* tcpServer(react)
      const error = yield* Effect.flip(submit({ apiUrl: "https://arta.invalid/api", proxy: urlOf(proxy) }))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "submit", sent: false })
      const tunnels = proxy.received.filter((chunk) => chunk.startsWith("CONNECT arta.invalid:443 "))
      // One for each attempt
      expect(tunnels).toHaveLength(4)
      expect(error.message).toContain(says)
      expect(proxy.received.join("")).not.toContain("POST")
    })
  )

  // fault: Submit | A proxy that does not exist | `TransportError` that names it, with `sent: false`
  it.scopedLive.each<[string, string]>([
    [`http://127.0.0.1:${String(closedPort)}`, `connection refused: 127.0.0.1:${String(closedPort)}`],
    [`http://localhost:${String(closedPort)}`, "connection refused: "],
    ["http://proxy.invalid:3128", "host not found: proxy.invalid"]
  ])("names the proxy %s that cannot be reached", ([proxy, says]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(submit({ apiUrl: "https://arta.invalid/api", proxy }))
      expect(error).toMatchObject({ _tag: "TransportError", sent: false })
      expect(error.message).toContain(says)
    })
  )

  // fault: Submit | A proxy asks for a user and a password, of a tunnel or of plain HTTP | `TransportError` that says so, with `sent: false`, once
  it.scopedLive.each<[string, string]>([
    ["https", "CONNECT arta.invalid:443 "],
    ["http", "POST http://arta.invalid/api/text2image "]
  ])("a proxy asks for a user and a password, over %s", ([scheme, start]) =>
    Effect.gen(function* () {
      const proxy = yield* tcpServer((socket) =>
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
      )
      const error = yield* Effect.flip(submit({ apiUrl: `${scheme}://arta.invalid/api`, proxy: urlOf(proxy) }))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "submit", sent: false })
      expect(error.message).toContain("the proxy asks for a user and a password")
      expect(proxy.received.filter((chunk) => chunk.startsWith(start))).toHaveLength(1)
    })
  )

  // fault: Submit | The call is interrupted while a proxy closes every connection | no connection after that
  it.scopedLive("opens no tunnel after the call", () =>
    Effect.gen(function* () {
      const second = yield* Effect.makeLatch()
      let tunnels = 0
      const proxy = yield* tcpServer((socket) => {
        tunnels += 1
        if (tunnels === 2) second.unsafeOpen()
        socket.end()
      })
      const submission = yield* Effect.fork(submit({ apiUrl: "https://arta.invalid", proxy: urlOf(proxy) }))
      yield* second.await
      yield* Fiber.interrupt(submission)
      yield* Effect.sleep("200 millis")
      expect(tunnels).toBe(2)
      expect(proxy.open()).toBe(0)
    })
  )

  // fault: Submit | The timeout ends while the connection is being made | `GenerationTimeoutError`, nothing was submitted
  it.scopedLive.each<[string, Parameters<typeof tcpServer>[0], boolean]>([
    ["a TLS handshake without an answer", () => undefined, false],
    ["a CONNECT without an answer", () => undefined, true],
    ["a TLS handshake without an answer in a tunnel", tunnelOnly, true]
  ])("a timeout says that nothing was submitted: %s", ([, react, isProxy]) =>
    Effect.gen(function* () {
      const { port } = yield* tcpServer(react)
      const options = isProxy
        ? { apiUrl: "https://arta.invalid", proxy: urlOf({ port }) }
        : { apiUrl: `https://127.0.0.1:${String(port)}` }
      const run = Arta.run({ prompt: "cat" }, { timeout: "1 second" })
      const error = yield* Effect.flip(withSession(options)(run))
      expect(error._tag).toBe("GenerationTimeoutError")
      expect(error.message).toMatch(/^Nothing was submitted/)
      expect("request" in error ? error.request : undefined).toBeUndefined()
    })
  )

  // fault: Submit | The program ends while a TLS handshake hangs, directly or in a tunnel | the connection ends at once
  it.scopedLive.each<[string, Parameters<typeof tcpServer>[0], boolean]>([
    ["a TLS handshake", () => undefined, false],
    ["a TLS handshake in a tunnel", tunnelOnly, true]
  ])(
    "ends %s with the program",
    ([, react, isProxy]) =>
      Effect.gen(function* () {
        const server = yield* tcpServer(react)
        const options = isProxy
          ? { apiUrl: "https://arta.invalid", proxy: urlOf(server) }
          : { apiUrl: `https://127.0.0.1:${String(server.port)}` }
        const running = yield* Effect.fork(submit(options))
        yield* until(() => server.received.some((chunk) => chunk.startsWith("\x16")))
        yield* Fiber.interrupt(running)
        yield* until(() => server.open() === 0)
      }),
    5_000
  )

  // fault: Submit | The call is interrupted while its response is pending | no connection after that
  it.scopedLive.each<[string, Effect.Effect<unknown, unknown, NodeArta.Services>]>([
    ["submission", submission],
    ["poll", poll]
  ])("connects no more after an interrupted %s", ([, call]) =>
    Effect.gen(function* () {
      const { accepted, requests, url } = yield* faultServer({ "/": [{ then: "silence" }] })
      const interrupted = Effect.gen(function* () {
        const running = yield* Effect.fork(call)
        yield* until(() => requests.length === 1)
        yield* Fiber.interrupt(running)
        yield* settle
        expect(accepted()).toBe(1)
      })
      yield* withSession({ apiUrl: url })(interrupted)
    })
  )

  // fault: Submit | The layer was closed more than a second ago | `TransportError` with `sent: false`, and no connection
  it.scoped.each<[string, Effect.Effect<unknown, ArtaError.ArtaError, ArtaApi.ArtaApi>]>([
    ["submission", submission],
    ["poll", poll]
  ])("connects no more once its layer is closed: a %s fails", ([, call]) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/": [respond(404)] })
      const api = yield* withSession({ apiUrl: url })(Effect.zipLeft(ArtaApi.ArtaApi, Effect.exit(poll)))
      yield* Effect.acquireRelease(
        Effect.sync(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 2_000 })),
        () => Effect.sync(() => vi.useRealTimers())
      )
      const error = yield* runToEnd(Effect.flip(Effect.provideService(call, ArtaApi.ArtaApi, api)))
      expect(error).toMatchObject({ _tag: "TransportError", sent: false })
      expect(requests).toHaveLength(1)
    })
  )

  it.scopedLive.each<[string, string]>([
    ["key", "key:"],
    ["key:", "key:"],
    ["us%20er:p%40ss", "us er:p@ss"],
    [":secret", ":secret"]
  ])("sends the user of the proxy's URL: %s", ([given, sent]) =>
    Effect.gen(function* () {
      const proxy = yield* tcpServer((socket) => socket.end("HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n"))
      const url = `http://${given}@127.0.0.1:${String(proxy.port)}`
      yield* Effect.flip(submit({ apiUrl: "https://arta.invalid", proxy: url }))
      expect(proxy.received.join("").toLowerCase()).toContain(
        `proxy-authorization: basic ${Buffer.from(sent).toString("base64").toLowerCase()}\r\n`
      )
    })
  )

  // fault: Submit | The JSON of the response is whole, but not its end: a length too long, no last chunk | the record id
  it.scopedLive.each<[string, ReadonlyArray<string>]>([
    ["a length too long", [head(200, { "content-length": 100 }), '{"record_id":"rec-1"}']],
    ["no last chunk", [head(200, { "transfer-encoding": "chunked" }), '15\r\n{"record_id":"rec-1"}\r\n']]
  ])("takes a whole JSON of a response with %s", ([, write]) =>
    Effect.gen(function* () {
      const { url } = yield* faultServer({ "/": [{ write, then: "close" }] })
      expect(yield* submit({ apiUrl: url })).toBe("rec-1")
    })
  )
})
