import * as Effect from "effect/Effect"
import type { JSONRPCMessage, MessageExtraInfo, RequestId, Transport } from "@modelcontextprotocol/server"
import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio"
import type { McpServer } from "@modelcontextprotocol/server"
import type { Readable, Writable } from "node:stream"
import { PassThrough } from "node:stream"

/** A listening request has no response. */
const hasResponse = ({ method }: { readonly method: string }): boolean => method !== "subscriptions/listen"

/**
 * The transport of the package drops the requests in flight when standard input ends, as it does when requests are
 * piped into the command. This one responds to them first.
 */
class DrainingTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void
  readonly #held = new PassThrough()
  readonly #inner: StdioServerTransport
  readonly #open = new Set<RequestId>()
  #hasEnded = false

  constructor(input: Readable, output: Writable, onClose: () => void) {
    this.#inner = new StdioServerTransport(this.#held, output)
    this.#inner.onclose = () => {
      this.onclose?.()
      onClose()
    }
    this.#inner.onerror = (error) => this.onerror?.(error)
    this.#inner.onmessage = (message) => {
      this.#receive(message)
      this.onmessage?.(message)
      this.#endIfDrained()
    }
    input.pipe(this.#held, { end: false })
    const end = () => {
      this.#hasEnded = true
      // What was read before the end is still on its way.
      setImmediate(() => {
        this.#endIfDrained()
      })
    }
    input.once("end", end).once("close", end).once("error", end)
  }

  start = () => this.#inner.start()
  close = () => this.#inner.close()

  send = async (message: JSONRPCMessage): Promise<void> => {
    await this.#inner.send(message)
    if (!("method" in message) && message.id !== undefined) this.#open.delete(message.id)
    this.#endIfDrained()
  }

  #receive(message: JSONRPCMessage): void {
    if (!("method" in message)) return
    if ("id" in message && hasResponse(message)) this.#open.add(message.id)
    // A cancelled request has no response.
    if (message.method === "notifications/cancelled") {
      const requestId = message.params?.["requestId"]
      if (typeof requestId === "string" || typeof requestId === "number") this.#open.delete(requestId)
    }
  }

  #endIfDrained(): void {
    if (this.#hasEnded && this.#open.size === 0 && this.#held.readableLength === 0) this.#held.end()
  }
}

/** Serves one client over standard input and output, until it has left. */
export const serveOverStdio = (
  make: () => McpServer,
  { input, output }: { readonly input: Readable; readonly output: Writable }
): Effect.Effect<void> =>
  Effect.async((resume: (ended: Effect.Effect<void>) => void) => {
    const transport = new DrainingTransport(input, output, () => {
      resume(Effect.void)
    })
    const handle = serveStdio(make, { transport })
    return Effect.promise(() => handle.close())
  })
