import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ArtaApi, GenerateRequest } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { storedSession } from "../support/storedSession.js"
import { tcpServer } from "../support/tcpServer.js"

describe("A proxy that never answers CONNECT", { timeout: 60_000 }, () => {
  // fault: Submit | A proxy accepts the connection and is silent | the next attempt after ten seconds, one connection at a time
  it.scopedLive("is given up after ten seconds, and left when the program ends", () =>
    Effect.gen(function* () {
      const secondAttempt = yield* Effect.makeLatch()
      const open: Array<number> = []
      const proxy = yield* tcpServer(() => {
        open.push(proxy.open())
        if (open.length === 2) secondAttempt.unsafeOpen()
      })
      const options = { apiKey: "k", apiUrl: "https://arta.invalid", tokenFile: yield* storedSession }
      const submission = yield* Effect.flatMap(ArtaApi.ArtaApi, (api) =>
        api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))
      ).pipe(
        Effect.provide(NodeArta.layer({ ...options, proxy: `http://127.0.0.1:${String(proxy.port)}` })),
        Effect.fork
      )
      yield* secondAttempt.await
      yield* Fiber.interrupt(submission)
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => proxy.open() === 0 })
      expect(open).toEqual([1, 1])
      expect(proxy.received.every((chunk) => chunk.startsWith("CONNECT arta.invalid:443 "))).toBe(true)
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
