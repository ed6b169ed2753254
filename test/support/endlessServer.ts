import { Effect } from "effect"
import type { ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createGzip } from "node:zlib"

const spaces = Buffer.alloc(64 * 1024, " ")

/** Writes for as long as someone reads. */
const writeForever = (stream: NodeJS.WritableStream, response: ServerResponse): void => {
  while (stream.write(spaces)) if (response.destroyed) return
  stream.once("drain", () => {
    if (!response.destroyed) writeForever(stream, response)
  })
}

/** A server whose responses are spaces without end. `sent` counts the bytes that it has written. */
export const endlessServer = (gzip: boolean) =>
  Effect.acquireRelease(
    Effect.async<{ readonly url: string; readonly sent: () => number; readonly close: () => void }>((resume) => {
      let sent = 0
      const server = createServer((_, response) => {
        response.writeHead(200, gzip ? { "content-encoding": "gzip" } : {})
        response.socket?.on("close", () => {
          sent += response.socket?.bytesWritten ?? 0
        })
        const body = gzip ? createGzip() : response
        if (body !== response) body.pipe(response)
        writeForever(body, response)
      })
      const close = () => {
        server.closeAllConnections()
        server.close()
      }
      server.listen(0, "127.0.0.1", () => {
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed({ url: `http://127.0.0.1:${String(port)}`, sent: () => sent, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )
