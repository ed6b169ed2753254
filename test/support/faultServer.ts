import { Effect } from "effect"
import type { AddressInfo, Socket } from "node:net"
import { createServer } from "node:net"

/** What the server writes to the socket, and what it then does with the connection. */
export interface RawResponse {
  /** The server waits for this effect before it writes. */
  readonly after?: Effect.Effect<void>
  readonly write?: ReadonlyArray<string | Uint8Array>
  readonly then: "keep" | "close" | "reset" | "silence"
}

export interface FaultServer {
  readonly url: string
  /** The raw requests so far. */
  readonly requests: ReadonlyArray<string>
  /** The client's port of each request: one for each connection. */
  readonly ports: ReadonlyArray<number | undefined>
  /** The number of open connections. */
  readonly connections: () => number
  /** The number of connections so far. */
  readonly accepted: () => number
  /** Ends the open connections. */
  readonly disconnect: (how: "close" | "reset") => void
}

const reasons: Record<number, string> = { 200: "OK", 302: "Found", 404: "Not Found", 500: "Internal Server Error" }

export const head = (status: number, headers: Readonly<Record<string, string | number>> = {}): string =>
  [
    `HTTP/1.1 ${String(status)} ${reasons[status] ?? "Other"}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`),
    "",
    ""
  ].join("\r\n")

/** A complete response. */
export const respond = (
  status: number,
  body: string | Uint8Array | object = "",
  headers: Readonly<Record<string, string | number>> = {}
): RawResponse => {
  const bytes =
    typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
  return { write: [head(status, { "content-length": bytes.length, ...headers }), bytes], then: "keep" }
}

/** A response truncated in the middle: by content length, by chunk, or by a closed connection. */
export const truncate = (status: number, body: Uint8Array, how: "length" | "chunk" | "close"): RawResponse => {
  const half = body.subarray(0, Math.floor(body.length / 2))
  switch (how) {
    case "length":
      return { write: [head(status, { "content-length": body.length }), half], then: "close" }
    case "chunk":
      return {
        write: [head(status, { "transfer-encoding": "chunked" }), `${half.length.toString(16)}\r\n`, half, "\r\n"],
        then: "close"
      }
    case "close":
      return { write: [head(status, { connection: "close" }), half], then: "close" }
  }
}

const isWhole = (request: string): boolean => {
  const [headers = "", body] = request.split("\r\n\r\n", 2)
  const length = /^content-length: *(\d+)/im.exec(headers)?.[1] ?? "0"
  return body !== undefined && Buffer.byteLength(body) >= Number(length)
}

const play = async (socket: Socket, { after = Effect.void, then, write = [] }: RawResponse): Promise<void> => {
  await Effect.runPromise(after)
  for (const part of write) socket.write(part)
  if (then === "close") socket.end()
  if (then === "reset") socket.resetAndDestroy()
}

/** A server on a real socket with a list of responses for each path. It repeats the last response. */
export const faultServer = (scripts: Readonly<Record<string, ReadonlyArray<RawResponse>>>) =>
  Effect.acquireRelease(
    Effect.async<FaultServer & { readonly close: () => void }>((resume) => {
      const requests: Array<string> = []
      const ports: Array<number | undefined> = []
      const sockets = new Set<Socket>()
      let accepted = 0

      const respondTo = (request: string): RawResponse => {
        const path = request.split(" ", 2)[1] ?? ""
        const [part, script] = Object.entries(scripts).find(([start]) => path.startsWith(start)) ?? ["", []]
        const turn = requests.filter((earlier) => (earlier.split(" ", 2)[1] ?? "").startsWith(part)).length
        requests.push(request)
        return script[Math.min(turn, script.length - 1)] ?? respond(404)
      }

      const server = createServer((socket) => {
        sockets.add(socket)
        accepted += 1
        let received = ""
        socket.on("error", () => socket.destroy())
        socket.on("close", () => sockets.delete(socket))
        socket.on("data", (data) => {
          received += data.toString("latin1")
          if (!isWhole(received)) return
          const request = received
          received = ""
          ports.push(socket.remotePort)
          void play(socket, respondTo(request))
        })
      })

      const disconnect = (how: "close" | "reset") => {
        for (const socket of sockets) {
          if (how === "reset") socket.resetAndDestroy()
          else socket.destroy()
        }
      }
      const close = () => {
        disconnect("close")
        server.close()
      }
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        const url = `http://127.0.0.1:${String(port)}`
        const counts = { connections: () => sockets.size, accepted: () => accepted }
        resume(Effect.succeed({ url, requests, ports, ...counts, disconnect, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
