import { expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { generate, openAiServer } from "../support/openAiServer.js"

const running = Effect.map(Fiber.roots, (fibers) => fibers.length)

const turnOfEventLoop = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

// A fiber that outlives its request keeps the request in memory.
it.live("A request leaves nothing running once it has its response", () =>
  Effect.gen(function* () {
    yield* generate({ prompt: "a fox" })
    const before = yield* running
    const responses = yield* Effect.replicateEffect(generate({ prompt: "a fox" }), 10)
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200))
    yield* Effect.repeat(Effect.zipRight(turnOfEventLoop, running), { until: (now) => now <= before })
  }).pipe(Effect.provide(openAiServer({ queueTime: 0, drawTime: 0 })))
)
