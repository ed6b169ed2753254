import { Effect } from "effect"
import type { AddressInfo, Socket } from "node:net"
import { connect, createServer } from "node:net"

/** A proxy on a port of this machine, whose `cut` closes all its connections as a proxy does that restarts. */
export const cutProxy = (target: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const { hostname, port } = new URL(target)
      const sockets = new Set<Socket>()
      const keep = (socket: Socket) => {
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy())
      }
      const server = createServer((client) => {
        const upstream = connect(Number(port), hostname)
        keep(client)
        keep(upstream)
        client.pipe(upstream).pipe(client)
      })
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const cut = () => {
        for (const socket of sockets) socket.destroy()
      }
      return { server, cut, url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` }
    }),
    ({ cut, server }) =>
      Effect.sync(() => {
        server.close()
        cut()
      })
  )
