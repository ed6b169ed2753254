import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import type { Socket } from "node:net"
import { connect } from "node:net"
import { text } from "node:stream/consumers"
import { key, openAiServer, origin, submissions } from "../support/openAiServer.js"

const mebibyte = 1024 * 1024
const chunk = Buffer.concat([Buffer.from("100000\r\n"), Buffer.alloc(mebibyte, " "), Buffer.from("\r\n")])

const write = async (socket: Socket, bytes: string | Buffer) => {
  if (!socket.write(bytes)) await once(socket, "drain")
}

/** Reads the response after the whole body is sent, as Python's http.client does. */
const sendChunks = async (url: string, count: number) => {
  const { host, hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await write(
    socket,
    `POST /v1/images/generations HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n` +
      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
  )
  for (let sent = 0; sent < count; sent += 1) await write(socket, chunk)
  socket.end("0\r\n\r\n")
  return text(socket)
}

describe("A body of 80 MiB whose length is not announced", () => {
  // fault: Server | large body of unknown length | 413 once it is sent, nothing is submitted
  it.live("is refused without a reset of the connection", () =>
    Effect.gen(function* () {
      const url = yield* origin
      expect(yield* Effect.promise(() => sendChunks(url, 80))).toMatch(/^HTTP\/1\.1 413 /)
      expect(yield* submissions).toBe(0)
    }).pipe(Effect.provide(openAiServer()))
  )
})
