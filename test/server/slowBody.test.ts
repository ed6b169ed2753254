import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option, TestClock } from "effect"
import { connect } from "node:net"
import { key, openAiServer, origin, submissions } from "../support/openAiServer.js"

/** Sends the head of a request and a part of its body, and returns what comes back. */
const sendPart = (url: string) =>
  Effect.async<string>((resume) => {
    const { host, hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        `POST /v1/images/generations HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\n` +
          'Content-Type: application/json\r\nContent-Length: 18\r\n\r\n{"prompt":'
      )
    )
    socket.once("data", (chunk) => {
      resume(Effect.succeed(chunk.toString()))
    })
    return Effect.sync(() => socket.destroy())
  })

const turnOfEventLoop = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

describe("A body that does not arrive", () => {
  // fault: Server | body that does not arrive | 408, nothing is sent
  it.scoped("is refused, and nothing is submitted", () =>
    Effect.gen(function* () {
      const response = yield* Effect.fork(sendPart(yield* origin))
      const text = yield* Effect.repeat(
        TestClock.adjust("1 second").pipe(Effect.zipRight(turnOfEventLoop), Effect.zipRight(Fiber.poll(response))),
        { until: Option.isSome }
      ).pipe(Effect.zipRight(Fiber.join(response)))
      expect(text).toMatch(/^HTTP\/1\.1 408 /)
      expect(text).toMatch(/x-should-retry: false/i)
      expect(text).toContain('"code":"request_timeout"')
      expect(yield* submissions).toBe(0)
    }).pipe(Effect.provide(openAiServer()))
  )
})
