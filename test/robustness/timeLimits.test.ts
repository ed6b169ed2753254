import type { HttpClient } from "@effect/platform"
import { FetchHttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import type { Socket } from "node:net"
import { layerHttpTransport } from "../../src/internal/httpTransport.js"
import { makeDispatch } from "../../src/internal/node/dispatcher.js"
import { undiciTransport } from "../../src/internal/node/undiciTransport.js"
import { Transport } from "../../src/internal/transport.js"
import { head } from "../support/faultServer.js"
import { tcpServer } from "../support/tcpServer.js"

const overClient = (client: Layer.Layer<HttpClient.HttpClient>) => Layer.provide(layerHttpTransport(), client)

const overUndici = Effect.map(makeDispatch({ name: "proxy", url: undefined }), ({ dispatch }) =>
  Layer.succeed(Transport, undiciTransport(dispatch))
).pipe(Layer.unwrapScoped)

/** Writes the start of a response, and then this again and again. */
const drip = (start: string, part: string) => (socket: Socket) => {
  socket.write(start)
  const timer = setInterval(() => socket.write(part), 20)
  socket.once("close", () => {
    clearInterval(timer)
  })
}

const chunked = head(200, { "transfer-encoding": "chunked" })

describe.concurrent.each([
  ["undici's HttpClient", overClient(NodeHttpClient.layerUndici)],
  ["fetch", overClient(FetchHttpClient.layer)],
  ["NodeArta's transport", overUndici]
] as const)("With %s", (_, transport) => {
  // fault: Whatever a service sends | Silence, or a response that goes on and on, at any point | the time limit of the request ends it, and the connection
  it.scopedLive.each<[string, (socket: Socket) => void]>([
    ["silence", () => undefined],
    ["half of a head, then silence", (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-le")],
    ["a head, then silence", (socket) => socket.write(head(200, { "content-length": 100 }))],
    ["half of a body, then silence", (socket) => socket.write(`${head(200, { "content-length": 100 })}half`)],
    ["a head without end", drip("HTTP/1.1 200 OK\r\nx-long: ", "x")],
    ["informational responses without end", drip(head(103), head(103))],
    ["a body without end, by length", drip(head(200, { "content-length": 10_000 }), "x")],
    ["a body without end, in chunks", drip(chunked, "1\r\nx\r\n")],
    ["a body without end, until the connection ends", drip(head(200), "x")]
  ])("ends within its time limit: %s", ([, react]) =>
    Effect.gen(function* () {
      const { open, port } = yield* tcpServer(react)
      const { send } = yield* Transport
      const request = {
        method: "GET",
        url: `http://127.0.0.1:${String(port)}/status?of=rec`,
        headers: {},
        timeout: Duration.millis(300),
        maxMebibytes: 1
      } as const
      const failure = yield* Effect.flip(Effect.uninterruptible(send(request)))
      expect(failure).toEqual({ reason: "no response within 300ms", sent: true })
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => open() === 0 })
    }).pipe(Effect.provide(transport))
  )
})
