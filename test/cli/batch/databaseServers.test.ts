import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Socket } from "node:net"
import { command } from "../../support/command.js"
import { tcpServer } from "../../support/tcpServer.js"

/** An error of PostgreSQL's protocol. */
const pgError = (code: string): Buffer => {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0Mno luck for "owner" at s3cret\0\0`)
  const head = Buffer.alloc(5)
  head.write("E")
  head.writeUInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

/** A request for a password, or the answer to what a client sends then. */
const authentication = (type: 10 | 11, data: string): Buffer => {
  const head = Buffer.alloc(9)
  head.write("R")
  head.writeUInt32BE(data.length + 8, 1)
  head.writeUInt32BE(type, 5)
  return Buffer.concat([head, Buffer.from(data)])
}

/** What the command says of a server that reacts in this way to the first message. */
const statusOn = (react: (socket: Socket, data: string) => void, query = "", user = "owner:s3cret@") =>
  Effect.gen(function* () {
    const { port } = yield* tcpServer(react)
    const place = `postgres://127.0.0.1:${String(port)}/images`
    const { code, stderr, stdout } = yield* command([
      "status",
      "--database",
      `${place.replace("//", `//${user}`)}${query}`
    ])
    expect(code).toBe(3)
    expect(stdout).toBe("")
    expect(stderr).not.toMatch(/s3cret|owner/)
    return (lines: ReadonlyArray<string>) => {
      const [problem = "", remedy = ""] = lines
      expect(stderr).toContain(`${problem}: ${place}. ${remedy}.\n`)
    }
  })

describe.concurrent("A database server", () => {
  it.scopedLive.each([
    [
      "28P01",
      "The database server refused the user or the password",
      "Check both. In the URL, write special characters as %40 for @, %23 for #, and %2F for /"
    ],
    [
      "28000",
      "The database server refused the user or the password",
      "Check both. In the URL, write special characters as %40 for @, %23 for #, and %2F for /"
    ],
    ["3D000", "The server has no database of this name", "Create it with createdb, or correct the name"],
    ["42501", "The user may not use this database", "Ask its administrator for the permission to create tables"],
    ["53300", "The database server has no free connection", "Stop other programs, or raise its limit"],
    ["57P03", "The database server is starting or stopping", "Try again in a moment"],
    ["XX000", "The database cannot be used (XX000)", "Check the URL and the server"]
  ])("that refuses with %s is explained, without the user", ([code = "", ...says]) =>
    Effect.gen(function* () {
      const expectText = yield* statusOn((socket) => socket.end(pgError(code)))
      expectText(says)
    })
  )

  it.scopedLive("that closes the connection is explained", () =>
    Effect.gen(function* () {
      const expectText = yield* statusOn((socket) => socket.end())
      expectText(["The server closed the connection", "Check the host and the port"])
    })
  )

  it.scopedLive("that asks for a password is explained", () =>
    Effect.gen(function* () {
      const expectText = yield* statusOn(
        (socket, data) => {
          const isFirst = !data.startsWith("p")
          socket.write(isFirst ? authentication(10, "SCRAM-SHA-256\0\0") : authentication(11, "r=nonce"))
        },
        "",
        "owner@"
      )
      expectText(["The database server asks for a password", "Add it to the URL"])
    })
  )

  it.scopedLive("without TLS is explained", () =>
    Effect.gen(function* () {
      const expectText = yield* statusOn((socket) => socket.write("N"), "?sslmode=require")
      expectText(["The database server does not support TLS", "Remove sslmode from the URL"])
    })
  )
})
