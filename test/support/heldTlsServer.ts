import { Effect } from "effect"
import { createServer as createHttpsServer } from "node:https"
import type { AddressInfo, Server, Socket } from "node:net"
import { connect, createServer } from "node:net"
import { selfSigned } from "./certificate.js"

const listening = (server: Server) =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        resume(Effect.succeed((server.address() as AddressInfo).port))
      })
    }),
    () => Effect.sync(() => server.close())
  )

/** A service over TLS that accepts connections, but answers no handshake before it is opened. Its certificate is self-signed. */
export const heldTlsServer = (body: object) =>
  Effect.gen(function* () {
    const opened = yield* Effect.makeLatch()
    const requests: Array<string> = []
    const service = createHttpsServer(selfSigned(), (request, response) => {
      requests.push(`${request.method ?? ""} ${request.url ?? ""}`)
      response.end(JSON.stringify(body))
    })
    const servicePort = yield* listening(service)

    const sockets = new Set<Socket>()
    const relay = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => socket.destroy())
      void Effect.runPromise(opened.await).then(() => {
        const upstream = connect(servicePort, "127.0.0.1")
        upstream.on("error", () => socket.destroy())
        socket.pipe(upstream).pipe(socket)
      })
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
      })
    )
    const port = yield* listening(relay)
    return {
      url: `https://127.0.0.1:${String(port)}`,
      requests,
      /** How many connections it has accepted. */
      accepted: () => sockets.size,
      open: opened.open
    }
  })
