import { HttpApp } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Option, TestClock } from "effect"
import { ArtaServer } from "effect-arta/server"
import { bodyOf } from "../support/openAiServer.js"
import { eventually } from "../support/virtualTime.js"
import { counts, withEmulator } from "../support/withEmulator.js"

/** The routes of a server in virtual time. */
const routes = Effect.gen(function* () {
  const router = yield* ArtaServer.router()
  const handle = HttpApp.toWebHandlerRuntime(yield* Effect.runtime())(Effect.orDie(router))
  const ask = (path: string, init?: RequestInit) =>
    Effect.promise(async () => {
      const response = await handle(new Request(`http://localhost${path}`, init))
      return bodyOf({ status: response.status, headers: response.headers, text: await response.text() })
    })
  const headers = { "content-type": "application/json", "x-stainless-retry-count": "1" }
  const body = JSON.stringify({ prompt: "a fox", seed: 7 })
  return { ask, generate: ask("/v1/images/generations", { method: "POST", body, headers }) }
})

describe("A generation that has ended", () => {
  it.scoped("is kept for 15 minutes, for clients that send their request again", () =>
    Effect.gen(function* () {
      const { ask, generate } = yield* routes
      const list = Effect.map(ask("/v1/images/generations"), ({ data }) => data)
      const client = yield* Effect.fork(generate)
      const isDone = Effect.map(Fiber.poll(client), Option.isSome)
      yield* eventually(Effect.zipRight(TestClock.adjust("1 second"), isDone))
      const { record_id: recordId } = yield* Fiber.join(client)
      yield* TestClock.adjust("14 minutes")
      expect(yield* list).toMatchObject([{ id: recordId }])
      // The same request joins it.
      expect(yield* generate).toMatchObject({ record_id: recordId })
      yield* TestClock.adjust("150 seconds")
      expect(yield* list).toEqual([])
      expect((yield* counts).submit).toBe(1)
      expect(yield* ask(`/v1/images/generations/${String(recordId)}`)).toMatchObject({ status: "completed" })
    }).pipe(withEmulator())
  )
})
