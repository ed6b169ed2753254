import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { Fault } from "effect-arta/testing"
import { onPort, timeout } from "../../support/commandWorld.js"
import type { ToolResult } from "../../support/mcpWorld.js"
import { textOf, until, world } from "../../support/mcpWorld.js"

const fox = { prompt: "a fox", seed: 7 }
const owl = { prompt: "an owl", seed: 8 }

const statusOf = ({ structuredContent }: ToolResult) => structuredContent?.status

describe.concurrent("Equal calls of effect-arta mcp", { timeout }, () => {
  // fault: Process | an MCP client cancels a call, or its timeout passes, after the submission | the images are saved, and an equal call returns them
  it.scopedLive("saves the images of a cancelled call, and gives them to an equal one", () =>
    Effect.gen(function* () {
      const { cancelled, generate, fs, images, submissions } = yield* world()
      const isSubmitted = Effect.map(submissions, (count) => count > 0)
      yield* cancelled(fox, until(isSubmitted))
      yield* until(fs.exists(`${images}/a-fox-7-0.png`))
      const again = yield* generate(fox)
      expect(statusOf(again)).toBe("saved")
      expect(textOf(again)).toMatch(/earlier, equal call/)
      expect(yield* submissions).toBe(1)
      // Its result was delivered, so the next equal call is a new request.
      expect(textOf(yield* generate(fox))).not.toMatch(/earlier, equal call/)
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )

  it.scopedLive("submits each of several equal calls at the same time", () =>
    Effect.gen(function* () {
      const { generate, submissions } = yield* world()
      const results = yield* Effect.all([generate(fox), generate(fox)], { concurrency: 2 })
      expect(new Set(results.map(({ structuredContent }) => structuredContent?.recordId)).size).toBe(2)
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )

  it.scopedLive("get the generation of a call whose cancellation they overtake", () =>
    Effect.gen(function* () {
      const { cancelled, generate, submissions } = yield* world()
      const second = yield* Deferred.make<Fiber.RuntimeFiber<ToolResult>>()
      yield* cancelled(
        fox,
        Effect.gen(function* () {
          yield* until(Effect.map(submissions, (count) => count > 0))
          yield* Deferred.succeed(second, yield* Effect.fork(generate(fox)))
          // Sends the second call before the cancellation.
          yield* Effect.yieldNow()
        })
      )
      const result = yield* Effect.flatMap(Deferred.await(second), Fiber.join)
      expect(textOf(result)).toMatch(/earlier, equal call/)
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive("get one generation that nobody waits for only once", () =>
    Effect.gen(function* () {
      const { cancelled, fs, generate, images, submissions } = yield* world()
      yield* cancelled(fox, until(Effect.map(submissions, (count) => count > 0)))
      yield* until(fs.exists(`${images}/a-fox-7-0.png`))
      const results = yield* Effect.all([generate(fox), generate(fox)], { concurrency: 2 })
      expect(results.map((result) => textOf(result).includes("earlier, equal call")).sort()).toEqual([false, true])
      expect(yield* submissions).toBe(2)
    }).pipe(onPort())
  )

  it.scopedLive("download the image that did not come, and submit nothing", () =>
    Effect.gen(function* () {
      const { emulator, generate, submissions } = yield* world()
      yield* Effect.forEach([403, 403, 403], (status) => emulator.inject(Fault.respond("image", status)))
      const two = { ...fox, n: 2 }
      expect((yield* generate(two)).structuredContent?.images).toHaveLength(1)
      const again = yield* generate(two)
      expect(again.structuredContent?.images).toHaveLength(2)
      expect(textOf(again)).toContain(
        "\nAn earlier, equal call submitted this generation, and its result was not delivered. Nothing was submitted " +
          "again. To generate other images, call generate_image with another seed."
      )
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  it.scopedLive("are new requests if the call before was cancelled while it waited for the service's limit", () =>
    Effect.gen(function* () {
      const { cancelled, check, emulator, generate, submissions } = yield* world()
      yield* emulator.inject(Fault.respond("submit", 429, { headers: { "retry-after": "3" } }))
      const isListedAs = (state: string) => Effect.map(check(), (result) => textOf(result).includes(state))
      yield* cancelled(fox, until(isListedAs("waiting to be submitted")))
      yield* until(isListedAs("not accepted, nothing is charged"))
      expect(textOf(yield* generate(fox))).not.toMatch(/earlier, equal call/)
      expect(statusOf(yield* generate(owl))).toBe("saved")
      expect(yield* submissions).toBe(3)
    }).pipe(onPort())
  )
})
