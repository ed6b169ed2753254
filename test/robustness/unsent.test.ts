import { FetchHttpClient, HttpClient } from "@effect/platform"
import { RequestError } from "@effect/platform/HttpClientError"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import type { Scope } from "effect"
import { Effect, Layer } from "effect"
import { ArtaApi, Auth, GenerateRequest } from "effect-arta"
import { createServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import { selfSigned } from "../support/certificate.js"
import { closedPort } from "../support/closedPort.js"
import { faultServer } from "../support/faultServer.js"
import { tcpServer } from "../support/tcpServer.js"
import { runToEnd } from "../support/withEmulator.js"

/** Submits a generation with a session that exists already. */
const submit = (apiUrl: string, client: Layer.Layer<HttpClient.HttpClient>) =>
  Effect.flatMap(ArtaApi.ArtaApi, (api) => api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))).pipe(
    Effect.provide(
      ArtaApi.layer({ apiUrl }).pipe(Layer.provide(Auth.layerToken("canary-token")), Layer.provide(client))
    )
  )

/** A service that is not what the URL promises, and what arrived there. */
interface Service {
  readonly apiUrl: string
  readonly received: ReadonlyArray<string>
}

const https = (port: number) => `https://127.0.0.1:${String(port)}/api`

const overTls = (react: (socket: Socket) => void) =>
  Effect.map(tcpServer(react), ({ port, received }): Service => ({ apiUrl: https(port), received }))

/** A service that ends each TLS handshake with an alert. */
const alert = (code: number) => overTls((socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, code])))

const withCertificate = Effect.acquireRelease(
  Effect.async<Service & { readonly close: () => void }>((resume) => {
    const received: Array<string> = []
    const server = createServer(selfSigned(), (request, response) => {
      received.push(request.method ?? "")
      response.end()
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(Effect.succeed({ apiUrl: https(port), received, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const refused = Effect.succeed<Service>({ apiUrl: `http://localhost:${String(closedPort)}`, received: [] })

const clients: ReadonlyArray<readonly [string, Layer.Layer<HttpClient.HttpClient>]> = [
  ["fetch", FetchHttpClient.layer],
  ["undici", NodeHttpClient.layerUndici],
  ["node:http", NodeHttpClient.layer]
]

const services: ReadonlyArray<readonly [string, Effect.Effect<Service, never, Scope.Scope>, RegExp]> = [
  ["a self-signed certificate", withCertificate, /SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/],
  ["a close in the TLS handshake", overTls((socket) => socket.end()), /TLS handshake/],
  ["an alert about the TLS version", alert(70), /accepts no TLS version or cipher/],
  ["an alert about the ciphers", alert(40), /accepts no TLS version or cipher/],
  ["an alert about the strength", alert(71), /accepts no TLS version or cipher/],
  ["an alert about the name", alert(112), /refused the TLS handshake \(unrecognized.name\)/i],
  ["an alert about the protocol", alert(120), /refused the TLS handshake \(no.application.protocol\)/i],
  ["an alert about a parameter", alert(47), /refused the TLS handshake \(illegal.parameter\)/i],
  ["a refused port on every address", refused, /connection refused: (::1|127\.0\.0\.1):\d+\.$/],
  [
    "an unknown host",
    Effect.succeed({ apiUrl: "https://arta.invalid", received: [] }),
    /host not found: arta\.invalid\.$/
  ]
]

/** Services that send something other than TLS, which a client can report at any time. */
const notTls: ReadonlyArray<readonly [string, Effect.Effect<Service, never, Scope.Scope>]> = [
  ["https to an http port", overTls((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))],
  ["https to something else", overTls((socket) => socket.write("SSH-2.0-OpenSSH_9.6\r\n"))]
]

describe.concurrent.each(clients)("With %s, before it is connected", (_, client) => {
  // fault: Submit | No connection with any client: refused, no host, a certificate, no TLS | `TransportError` with `sent: false`, no POST
  it.scopedLive.each(services)("nothing is sent: %s", ([, start, reason]) =>
    Effect.gen(function* () {
      const { apiUrl, received } = yield* start
      const error = yield* Effect.flip(submit(apiUrl, client))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "submit", sent: false })
      expect(error.message).toMatch(reason)
      expect(received.filter((request) => request.startsWith("POST"))).toEqual([])
    })
  )
})

describe.concurrent.each(clients)("With %s, without proof", (_, client) => {
  // fault: Submit | A client's error that the server sends no TLS, which can come at any time | `SubmissionUnknownError`, once
  it.scopedLive.each(notTls)("the submission is unknown: %s", ([, start]) =>
    Effect.gen(function* () {
      const { apiUrl, received } = yield* start
      const error = yield* Effect.flip(submit(apiUrl, client))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(error.message).toContain("something other than TLS: does the port speak https?")
      expect(received).toHaveLength(1)
    })
  )
})

describe("With node:http", () => {
  // fault: Submit | A final status that is neither 2xx nor 4xx, such as 101 | `SubmissionUnknownError`, one POST
  it.scopedLive.each(["101", "099"])("HTTP %s leaves the submission unknown", (code) =>
    Effect.gen(function* () {
      const write = [`HTTP/1.1 ${code} Odd\r\nconnection: upgrade\r\nupgrade: other\r\ncontent-length: 0\r\n\r\n`]
      const { requests, url } = yield* faultServer({ "/text2image": [{ write, then: "close" }] })
      const error = yield* Effect.flip(submit(url, NodeHttpClient.layer))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError", reason: `HTTP ${String(Number(code))}` })
      expect(requests).toHaveLength(1)
    })
  )
})

/** A client whose requests all fail with this cause, and how often it was called. */
const failWith = (cause: unknown) => {
  const calls: Array<string> = []
  const client = HttpClient.make((request) => {
    calls.push(request.method)
    return Effect.fail(new RequestError({ request, reason: "Transport", cause }))
  })
  return { calls, client: Layer.succeed(HttpClient.HttpClient, client) }
}

const failed = (fields: object, message = "it failed") => Object.assign(new Error(message), fields)
const fetchFailed = (cause: unknown) => new TypeError("fetch failed", { cause })
const connect = (code: string) => failed({ code, syscall: "connect" })

const unsent: ReadonlyArray<readonly [string, unknown, number]> = [
  ["a time-out of every address", fetchFailed(new AggregateError([connect("ETIMEDOUT"), connect("ENETUNREACH")])), 4],
  ["addresses of addresses", new AggregateError([new AggregateError([connect("ECONNREFUSED")])]), 4],
  ["EMFILE at connect", fetchFailed(connect("EMFILE")), 4],
  ["EMFILE at the look-up", failed({ code: "EMFILE", syscall: "getaddrinfo" }), 4],
  ["ENFILE at the look-up", failed({ code: "ENFILE", syscall: "getaddrinfo" }), 4],
  ["EADDRNOTAVAIL at connect", connect("EADDRNOTAVAIL"), 4],
  ["a reset at connect", connect("ECONNRESET"), 4],
  ["EAI_FAIL", fetchFailed(failed({ code: "EAI_FAIL", syscall: "getaddrinfo" })), 4],
  ["EAI_NODATA", failed({ code: "EAI_NODATA" }), 4],
  ["a resolver's time-out", failed({ code: "ETIMEOUT", syscall: "queryA" }), 4],
  ["undici's connect time-out", fetchFailed(failed({ code: "UND_ERR_CONNECT_TIMEOUT" })), 4],
  ["an expired certificate", fetchFailed(failed({ code: "CERT_HAS_EXPIRED" })), 1],
  ["another name in the certificate", failed({ code: "ERR_TLS_CERT_ALTNAME_INVALID" }), 1],
  ["an unknown CA", failed({ code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" }), 1],
  ["a certificate for another purpose", fetchFailed(failed({ code: "INVALID_PURPOSE" }, "unsuitable certificate")), 1],
  ["an issuer that is no CA", failed({ code: "INVALID_CA" }, "invalid CA certificate"), 1],
  ["a chain that is too deep", failed({ code: "PATH_LENGTH_EXCEEDED" }), 1],
  ["another host", failed({ code: "HOSTNAME_MISMATCH" }), 1],
  ["a key that cannot be decoded", failed({ code: "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY" }), 1],
  ["a revocation list that has expired", failed({ code: "CRL_HAS_EXPIRED" }), 1],
  ["a violated name constraint", failed({ code: "UNSPECIFIED" }, "permitted subtree violation"), 1],
  ["a handshake that fails", failed({ code: "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE" }), 1],
  ["an old protocol", failed({ code: "EPROTO", syscall: "write" }, "SSL routines:tlsv1 alert protocol version"), 1],
  ["a name without a certificate", failed({ code: "EPROTO", syscall: "write" }, "tlsv1 unrecognized name"), 4],
  ["a port that fetch blocks", fetchFailed(failed({}, "bad port")), 1],
  ["a proxy", failed({ code: "UND_ERR_ABORTED" }, "Proxy response (502) !== 200 when HTTP Tunneling"), 4],
  ["a proxy with users", failed({ code: "UND_ERR_ABORTED" }, "Proxy response (407) !== 200 when HTTP Tunneling"), 1]
]

const maybeSent: ReadonlyArray<readonly [string, unknown]> = [
  ["a reset", fetchFailed(failed({ code: "ECONNRESET", syscall: "read" }))],
  ["a broken pipe", failed({ code: "EPIPE", syscall: "write" })],
  ["a time-out of the connection", failed({ code: "ETIMEDOUT", syscall: "read" })],
  ["a route that is lost", failed({ code: "EHOSTUNREACH", syscall: "write" })],
  ["an alert that can follow the request", failed({ code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" })],
  ["no TLS record", failed({ code: "EPROTO", syscall: "write" }, "ssl3_get_record:wrong version number")],
  ["a record that is too long", fetchFailed(failed({ code: "ERR_SSL_PACKET_LENGTH_TOO_LONG" }))],
  ["an internal error", failed({ code: "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR" })],
  ["a denied access", failed({ code: "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED" })],
  ["a code that another one starts with", failed({ code: "UNSPECIFIED_ERROR" })],
  ["a broken record", failed({ code: "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC" })],
  ["one address of several", new AggregateError([connect("ETIMEDOUT"), failed({ code: "ECONNRESET" })])],
  ["no address", new AggregateError([])],
  ["a closed socket", fetchFailed(failed({ code: "UND_ERR_SOCKET" }, "other side closed"))],
  ["a code of another client", failed({ code: "UNCERTAIN" })],
  ["a text", "broken"],
  ["nothing", undefined]
]

/** An error that is its own cause. */
const circular = (() => {
  const error = failed({}, "round and round")
  error.cause = error
  return error
})()

describe("What a client reports", () => {
  // fault: Submit | A client's error that proves that nothing was connected | `TransportError` with `sent: false`, retried where that can help
  it.effect.each(unsent)("proves that nothing was sent: %s", ([, cause, attempts]) =>
    Effect.gen(function* () {
      const { calls, client } = failWith(cause)
      const error = yield* runToEnd(Effect.flip(submit("https://arta.test", client)))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "submit", sent: false })
      expect(calls).toHaveLength(attempts)
    })
  )

  // fault: Submit | A client cannot make the request | `TransportError` with `sent: false`, at once
  it.effect.each(["InvalidUrl", "Encode"] as const)("proves that the request could not be made: %s", (reason) =>
    Effect.gen(function* () {
      const client = HttpClient.make((request) => Effect.fail(new RequestError({ request, reason })))
      const error = yield* Effect.flip(submit("https://arta.test", Layer.succeed(HttpClient.HttpClient, client)))
      expect(error).toMatchObject({ _tag: "TransportError", sent: false })
      expect(error.message).toContain("the request could not be made: check the URL")
    })
  )

  it.effect("names the address that refused, wherever it is said", () =>
    Effect.gen(function* () {
      const refused = failed({ code: "ECONNREFUSED", syscall: "connect" }, "connect ECONNREFUSED 127.0.0.1:9")
      const timedOut = failed({ code: "ETIMEDOUT", syscall: "connect" }, "connect ETIMEDOUT ::1:9")
      const all = Object.assign(new AggregateError([timedOut, refused]), { code: "ECONNREFUSED" })
      const error = yield* runToEnd(Effect.flip(submit("https://arta.test", failWith(fetchFailed(all)).client)))
      expect(error.message).toContain("connection refused: 127.0.0.1:9")
    })
  )

  // fault: Submit | Any other error of a client | `SubmissionUnknownError`, one POST
  it.effect.each(maybeSent)("leaves the submission unknown: %s", ([, cause]) =>
    Effect.gen(function* () {
      const { calls, client } = failWith(cause)
      const error = yield* runToEnd(Effect.flip(submit("https://arta.test", client)))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(calls).toHaveLength(1)
    })
  )

  // fault: Submit | A client throws | `SubmissionUnknownError`, one POST
  it.effect("leaves the submission unknown: an error that is thrown", () =>
    Effect.gen(function* () {
      const client = HttpClient.make(() => {
        throw new TypeError("invalid content")
      })
      const error = yield* Effect.flip(submit("https://arta.test", Layer.succeed(HttpClient.HttpClient, client)))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(error.message).toContain("invalid content")
    })
  )

  // fault: Submit | An error of a client that nobody foresaw | its name, code and message, without secrets
  it.effect.each<[string, unknown, string]>([
    ["a bundler's", new TypeError("dispatcher.request is not a function"), "TypeError: dispatcher.request is not"],
    ["a secret", fetchFailed(failed({ code: "ODD" }, "canary-token is odd")), "Error (ODD): <redacted> is odd"],
    [
      "a code in the message",
      failed({ code: "EPROTO" }, "write EPROTO 5: tlsv1 odd"),
      "Error: write EPROTO 5: tlsv1 odd"
    ],
    ["no text but a code", failed({ code: "ODD" }, ""), "Error (ODD)"],
    ["no message", fetchFailed({}), "TypeError: fetch failed"],
    ["control characters", failed({}, "one\n\u001b[31mtwo"), "Error: one \\u001b[31mtwo"],
    ["no error", "just text", "just text"],
    ["no name", fetchFailed({ message: "only a message" }), "failed: only a message"],
    ["a number as code", fetchFailed({ code: 17, message: "odd" }), "failed: (17): odd"],
    ["a tag", { _tag: "TimeoutException", message: "took long" }, "failed: TimeoutException: took long"],
    ["a tag alone", { _tag: "SocketGone" }, "failed: SocketGone"],
    ["a number", 42, "failed: 42"],
    ["a bigint", 5n, "failed: 5"],
    ["a text as the cause", new RangeError("outer", { cause: "deep text" }), "failed: RangeError: outer: deep text"],
    [
      "a text as the last cause",
      fetchFailed(new RangeError("inner", { cause: "deep text" })),
      "failed: RangeError: inner: deep text"
    ],
    ["an error that is its own cause", circular, "Error: round and round"],
    ["a long message", failed({}, "x".repeat(10_000)), "xxx…"]
  ])("is kept: %s", ([, cause, reason]) =>
    Effect.gen(function* () {
      const error = yield* runToEnd(Effect.flip(submit("https://arta.test", failWith(cause).client)))
      expect(error.message).toContain("the connection failed")
      expect(error.message).toContain(reason)
      expect(error.message.length).toBeLessThan(600)
    })
  )
})
