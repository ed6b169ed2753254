import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope } from "effect"
import type { ArtaEmulator } from "effect-arta/testing"
import { Fault } from "effect-arta/testing"
import { awaitSubmissions, bodyOf, containing, generate, matching, openAiServer } from "../support/openAiServer.js"

/** What the clients receive whose generations run when a server stops. */
const responsesOf = (emulator: ArtaEmulator.Options) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const services = yield* Scope.extend(Layer.build(openAiServer(emulator)), scope)
    return yield* Effect.gen(function* () {
      const clients = yield* Effect.forEach(["a fox", "a hare"], (prompt) => Effect.fork(generate({ prompt, seed: 7 })))
      yield* awaitSubmissions(clients.length)
      const stopping = yield* Effect.fork(Scope.close(scope, Exit.void))
      const responses = yield* Effect.forEach(clients, Fiber.join)
      yield* Fiber.join(stopping)
      return responses
    }).pipe(Effect.provide(services))
  })

describe.concurrent("A server that stops", { timeout: 60_000 }, () => {
  it.live("delivers the generations that finish soon", () =>
    Effect.gen(function* () {
      const responses = yield* responsesOf({ drawTime: "500 millis" })
      expect(responses.map(({ status }) => status)).toEqual([200, 200])
    })
  )

  // fault: Server | server that stops during a generation | 424 with the record id
  it.live("tells the record ids of the others", () =>
    Effect.gen(function* () {
      for (const response of yield* responsesOf({ drawTime: "1 hour" })) {
        expect(response.status).toBe(424)
        expect(bodyOf(response)).toMatchObject({
          record_id: containing("record-"),
          error: { code: "server_stopped", message: matching(/record-.* may still finish/) }
        })
      }
    })
  )

  // fault: Server | server that stops during a submission | 424 with the seed
  it.live("tells the seed of a submission that got no response", () =>
    Effect.gen(function* () {
      for (const response of yield* responsesOf({ faults: [Fault.hang("submit"), Fault.hang("submit")] })) {
        expect(response.status).toBe(424)
        expect(bodyOf(response)).toMatchObject({ seed: 7, error: { code: "server_stopped" } })
      }
    })
  )
})
