import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, FiberId, Layer, Scheduler } from "effect"
import { Arta, ArtaApi, Auth, GenerateRequest, Generation } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { storedSession } from "../support/storedSession.js"

/** A service that never responds, and the number of requests that wait for it. */
const silentService = Effect.acquireRelease(
  Effect.async<{ readonly url: string; readonly open: () => number; readonly close: () => void }>((resume) => {
    let open = 0
    const server = createServer((_, response) => {
      open += 1
      response.on("close", () => (open -= 1))
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      resume(
        Effect.succeed({
          url: `http://127.0.0.1:${String(port)}`,
          open: () => open,
          close: () => {
            server.closeAllConnections()
            server.close()
          }
        })
      )
    })
  }),
  ({ close }) => Effect.sync(close)
)

const submission = Effect.flatMap(ArtaApi.ArtaApi, (api) =>
  api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))
)

const poll = Effect.flatMap(ArtaApi.ArtaApi, (api) => api.status(Generation.RecordId.make("rec")))

/** Interrupts a fiber when it and its descendants have taken so many steps, and yields there. */
const interruptedAt = <A, E, R>(step: number, call: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    let steps = 0
    const scheduler: Scheduler.Scheduler = {
      scheduleTask: (task, priority) => {
        Scheduler.defaultScheduler.scheduleTask(task, priority)
      },
      shouldYield: () => {
        steps += 1
        if (steps !== step) return false
        fiber.unsafeInterruptAsFork(FiberId.none)
        return 0
      }
    }
    const fiber = yield* Effect.fork(Effect.withScheduler(call, scheduler))
    yield* Effect.repeat(turn, { until: () => steps >= step || fiber.unsafePoll() !== null, times: 50 })
    yield* Fiber.interrupt(fiber)
  })

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

describe("NodeArta", () => {
  // fault: Submit | The program is interrupted in any step of a request, over NodeArta | no request goes on afterwards
  it.scopedLive.each<[string, number, Effect.Effect<unknown, unknown, NodeArta.Services>]>([
    ["a submission", 150, submission],
    ["a poll", 120, poll],
    ["Arta.run", 400, Arta.run({ prompt: "cat" })]
  ])("leaves no request behind when %s is interrupted, whichever of %d steps it reaches", ([, steps, call]) =>
    Effect.gen(function* () {
      const { open, url } = yield* silentService
      const services = yield* Layer.build(NodeArta.layer({ apiKey: "k", apiUrl: url, tokenFile: yield* storedSession }))
      yield* Effect.provide(
        Effect.flatMap(Auth.Auth, (auth) => auth.token),
        services
      )
      const left = yield* Effect.forEach(Array.from({ length: steps }).keys(), (step) =>
        Effect.gen(function* () {
          yield* interruptedAt(step, call)
          yield* Effect.replicateEffect(turn, 20)
          return open() === 0 ? [] : [step]
        }).pipe(Effect.provide(services))
      )
      expect(left.flat()).toEqual([])
    }).pipe(Effect.provide(NodeContext.layer))
  )
})
