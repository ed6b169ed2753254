import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ArtaError, Generation } from "effect-arta"
import { Arta, Polling } from "effect-arta"
import { closedPort } from "../support/closedPort.js"
import type { RawResponse, FaultServer } from "../support/faultServer.js"
import { truncate, faultServer, head, respond } from "../support/faultServer.js"
import type { Transport } from "../support/transports.js"
import { newTokenFile, transports } from "../support/transports.js"

const signedUp = respond(200, {
  kind: "k",
  localId: "me",
  idToken: "id-1",
  refreshToken: "refresh-1",
  expiresIn: "3600"
})
const refreshed = respond(200, { id_token: "id-2", expires_in: "3600" })
const accepted = respond(200, { record_id: "rec" })
const queued = respond(200, { status: "IN_QUEUE" })
const done = respond(200, { status: "DONE", response: [{ url: "http://images.test/0" }] })

const bytesOf = (body: object) => new TextEncoder().encode(JSON.stringify(body))

interface Scripts {
  readonly signUp?: ReadonlyArray<RawResponse>
  readonly submit?: ReadonlyArray<RawResponse>
  readonly status?: ReadonlyArray<RawResponse>
}

/** Runs a test with a generation against a server with these scripts, on real sockets. */
const onServer =
  (transport: Transport) =>
  <A, E>(
    { signUp = [signedUp], status = [queued, done], submit = [accepted] }: Scripts,
    test: (
      run: Effect.Effect<Generation.Generation, ArtaError.ArtaError>,
      count: (start: string) => number
    ) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function* () {
      const server: FaultServer = yield* faultServer({
        "/signUp": signUp,
        "/token": [refreshed],
        "/api/text2image/rec/status": status,
        "/api/text2image": submit
      })
      const { url } = server
      const layer = transport({
        tokenFile: yield* newTokenFile,
        apiUrl: `${url}/api`,
        signUpUrl: `${url}/signUp`,
        tokenUrl: `${url}/token`
      })
      const run = Arta.run({ prompt: "cat" }, { polling: Polling.fixed("20 millis") })
      const count = (start: string) => server.requests.filter((request) => request.startsWith(start)).length
      return yield* test(Effect.provide(run, layer), count)
    }).pipe(Effect.scoped)

const submits = "POST /api/text2image "

describe.concurrent.each(transports)("On real sockets, with %s", (name, transport) => {
  const withServer = onServer(transport)

  // fault: Submit | A reset, a close, a truncated response, 5xx or no HTTP | `SubmissionUnknownError`, one POST
  it.live.each<[string, RawResponse]>([
    ["a reset after the body", { then: "reset" }],
    ["a close without a response", { then: "close" }],
    ["half of the headers", { write: ["HTTP/1.1 200 OK\r\ncontent-le"], then: "close" }],
    ["a response cut short by length", truncate(200, bytesOf({ record_id: "rec" }), "length")],
    ["a response cut short by chunk", truncate(200, bytesOf({ record_id: "rec" }), "chunk")],
    ["a response cut short by a plain close", truncate(200, bytesOf({ record_id: "rec" }), "close")],
    ["500", respond(500, "<h1>Internal Server Error</h1>")],
    ["502", respond(502)],
    ["no HTTP at all", { write: ["SSH-2.0-OpenSSH_9.6\r\n"], then: "close" }]
  ])("a submission is sent exactly once after %s", ([, response]) =>
    withServer({ submit: [response] }, (run, count) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(run)
        expect(error).toMatchObject({ _tag: "SubmissionUnknownError", request: { prompt: "cat" } })
        expect(count(submits)).toBe(1)
      })
    )
  )

  // fault: Submit | 421, after which fetch repeats a POST by itself | `ResponseError`, one POST with undici
  it.live.skipIf(name === "fetch")("a submission is sent once after 421", () =>
    withServer({ submit: [respond(421, { detail: "another host" })] }, (run, count) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(run)).toMatchObject({ _tag: "ResponseError", status: 421, detail: "another host" })
        expect(count(submits)).toBe(1)
      })
    )
  )

  // fault: Poll | A reset, a close, a truncated response, an HTML page or 503 | nothing
  it.live.each<[string, RawResponse]>([
    ["a reset", { then: "reset" }],
    ["a close", { then: "close" }],
    ["a response cut short by length", truncate(200, bytesOf({ status: "DONE" }), "length")],
    ["a response cut short by chunk", truncate(200, bytesOf({ status: "DONE" }), "chunk")],
    ["a response cut short by a plain close", truncate(200, bytesOf({ status: "DONE" }), "close")],
    ["a page", respond(200, "<h1>Hello</h1>", { "content-type": "text/html" })],
    ["503", respond(503)]
  ])("polling continues after %s", ([, response]) =>
    withServer({ status: [queued, response, queued, done] }, (run, count) =>
      Effect.gen(function* () {
        const generation = yield* run
        expect(generation.images).toHaveLength(1)
        expect(count(submits)).toBe(1)
        expect(count("GET /api/text2image/rec/status ")).toBe(4)
      })
    )
  )

  it.live("a response that arrives slowly is read to its end", () => {
    const body = bytesOf({ status: "DONE", response: [{ url: "http://images.test/0" }] })
    const drip = Array.from(body, (byte) => new Uint8Array([byte]))
    const response: RawResponse = { write: [head(200, { "content-length": body.length }), ...drip], then: "keep" }
    return withServer({ status: [response] }, (run) =>
      Effect.map(run, ({ images }) => {
        expect(images).toHaveLength(1)
      })
    )
  })

  it.live("a token that is refused is refreshed once", () =>
    withServer({ submit: [respond(401, { detail: "expired" }), accepted] }, (run, count) =>
      Effect.gen(function* () {
        yield* run
        expect(count(submits)).toBe(2)
        expect(count("POST /token")).toBe(1)
        expect(count("POST /signUp")).toBe(1)
      })
    )
  )

  it.live("a sign-up whose response is lost is retried", () =>
    withServer({ signUp: [{ then: "reset" }, signedUp] }, (run, count) =>
      Effect.gen(function* () {
        yield* run
        expect(count("POST /signUp")).toBe(2)
      })
    )
  )

  // fault: Submit | Nothing listens on the port | `TransportError` with `sent: false`
  it.live("nothing counts as sent if the connection is refused", () =>
    Effect.gen(function* () {
      const signUpUrl = `http://127.0.0.1:${String(closedPort)}/signUp`
      const layer = transport({ tokenFile: yield* newTokenFile, signUpUrl })
      const error = yield* Effect.flip(Effect.provide(Arta.run({ prompt: "cat" }), layer))
      expect(error).toMatchObject({ _tag: "TransportError", operation: "signUp", sent: false })
    }).pipe(Effect.scoped)
  )
})
