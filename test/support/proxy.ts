import { Effect } from "effect"
import { createServer, request as forward } from "node:http"
import type { AddressInfo } from "node:net"

/** An HTTP proxy that forwards plain requests, refuses tunnels, and records both. */
export const proxyServer = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly requests: ReadonlyArray<string>; readonly close: () => void }>(
    (resume) => {
      const requests: Array<string> = []
      const server = createServer((incoming, outgoing) => {
        requests.push(`${incoming.method ?? ""} ${incoming.url ?? ""}`)
        const upstream = forward(
          incoming.url ?? "",
          { method: incoming.method ?? "GET", headers: incoming.headers },
          (response) => {
            outgoing.writeHead(response.statusCode ?? 502, response.headers)
            response.pipe(outgoing)
          }
        )
        upstream.on("error", () => outgoing.destroy())
        incoming.pipe(upstream)
      })
      server.on("connect", (incoming, socket) => {
        requests.push(`CONNECT ${incoming.url ?? ""}`)
        socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n")
      })
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const close = () => {
          server.closeAllConnections()
          server.close()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${String(port)}`, requests, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)
