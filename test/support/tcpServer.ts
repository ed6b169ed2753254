import { Effect } from "effect"
import type { AddressInfo, Socket } from "node:net"
import { createServer } from "node:net"

/** A TCP server that hands each chunk of data to `react`, and records them. */
export const tcpServer = (react: (socket: Socket, data: string) => void) =>
  Effect.acquireRelease(
    Effect.async<{
      readonly port: number
      readonly received: ReadonlyArray<string>
      readonly open: () => number
      readonly close: () => void
    }>((resume) => {
      const received: Array<string> = []
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => socket.destroy())
        socket.on("close", () => sockets.delete(socket))
        socket.on("data", (data) => {
          received.push(data.toString("latin1"))
          react(socket, data.toString("latin1"))
        })
      })
      const close = () => {
        for (const socket of sockets) socket.destroy()
        server.close()
      }
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ port, received, open: () => sockets.size, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
