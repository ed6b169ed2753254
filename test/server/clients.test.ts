import { beforeAll, describe, expect, it } from "@effect/vitest"
import { Effect, Either, Fiber } from "effect"
import type { ArtaServer } from "effect-arta/server"
import { Fault } from "effect-arta/testing"
import { cutProxy } from "../support/cutProxy.js"
import type { Call } from "../support/openAiClients.js"
import { clients, installClients } from "../support/openAiClients.js"
import {
  any,
  awaitSubmissions,
  bodyOf,
  eventsOf,
  openAiServer,
  origin,
  send,
  submissions
} from "../support/openAiServer.js"

interface Case {
  readonly outcome: string
  readonly faults: ReadonlyArray<Fault.Fault>
  /** What the error of the client says. Without it, the client receives the image. */
  readonly says?: RegExp
  /** How the error identifies the generation. */
  readonly tells?: "recordId" | "seed"
  /** Submissions that the service may have accepted. Default: 1. */
  readonly accepted?: 0
  readonly options?: ArtaServer.Options
}

const afterSeconds = (seconds: string) => ({ headers: { "retry-after": seconds } })

const many = (fault: Fault.Fault) => Array.from({ length: 12 }, () => fault)

const cases: ReadonlyArray<Case> = [
  { outcome: "a generation without faults", faults: [] },
  {
    outcome: "a lost response to the submission",
    faults: [Fault.drop("submit", { handled: true })],
    says: /may or may not have accepted/,
    tells: "seed"
  },
  {
    outcome: "HTTP 500 for the submission",
    faults: [Fault.respond("submit", 500)],
    says: /may or may not have accepted/,
    tells: "seed"
  },
  { outcome: "a short rate limit before the submission", faults: [Fault.respond("submit", 429, afterSeconds("1"))] },
  {
    outcome: "a long rate limit before the submission",
    faults: many(Fault.respond("submit", 429, afterSeconds("600"))),
    says: /Too many requests/,
    accepted: 0
  },
  { outcome: "a rate limit after the submission", faults: [Fault.respond("status", 429, afterSeconds("1"))] },
  {
    outcome: "a failed generation",
    faults: [Fault.failGeneration("FAILED", "NSFW content")],
    says: /FAILED: NSFW content/,
    tells: "recordId"
  },
  {
    outcome: "a generation that takes longer than the server waits",
    faults: many(Fault.hang("status")),
    says: /may still finish/,
    tells: "recordId",
    options: { timeout: "1 second" }
  },
  {
    outcome: "a submission that takes longer than the server waits",
    faults: [Fault.hang("submit")],
    says: /may have accepted/,
    tells: "seed",
    options: { timeout: "1 second" }
  },
  {
    outcome: "an empty result",
    faults: [Fault.respond("status", 200, { body: { status: "DONE", response: [] } })],
    says: /no image/,
    tells: "recordId"
  },
  {
    outcome: "images that cannot be downloaded",
    faults: many(Fault.respond("image", 403)),
    says: /complete, but its images could not be downloaded/,
    tells: "recordId"
  }
]

const isRefusal = (fault: Fault.Fault) => fault._tag === "Respond" && fault.on === "submit" && fault.status === 429

/** Submissions that the service may have accepted. */
const acceptedOf = (faults: ReadonlyArray<Fault.Fault>) =>
  Effect.map(submissions, (sent) => Math.max(0, sent - faults.filter(isRefusal).length))

/** The generation that the server has submitted. */
const listed = Effect.map(send("/v1/images/generations"), (response) => bodyOf(response)["data"] as [{ id: string }])

/** Waits for the images of the generation that the server has submitted. */
const delivered = Effect.gen(function* () {
  const [{ id }] = yield* listed
  return eventsOf(yield* send(`/v1/images/generations/${id}?stream=true`)).at(-1)
})

const completed = { type: "image_generation.completed", b64_json: any(String) }

const messageOf = (error: unknown) => ({ message: error instanceof Error ? error.message : String(error) })

const baseURL = Effect.map(origin, (url) => `${url}/v1`)

beforeAll(installClients, 300_000)

describe.concurrent.each(Object.entries(clients))("%s", { timeout: 60_000 }, (name, draw) => {
  /** Generates an image. Interruption aborts the call, as a program does that no longer wants it. */
  const call = (options: Partial<Call> = {}) =>
    Effect.flatMap(baseURL, (url) =>
      Effect.either(
        Effect.tryPromise({ try: () => draw({ baseURL: url, prompt: "a fox", ...options }), catch: messageOf })
      )
    )

  it.live.each(cases)("pays at most once for $outcome", ({ accepted = 1, faults, options, says, tells }) =>
    Effect.gen(function* () {
      const result = yield* call()
      if (says === undefined) {
        expect(result).toEqual(Either.right(any(String)))
      } else {
        const { message } = yield* Either.flip(result)
        expect(message).toMatch(says)
        if (tells === "recordId") expect(message).toContain((yield* listed)[0].id)
        if (tells === "seed") expect(message).toMatch(/seed \d+/)
      }
      expect(yield* acceptedOf(faults)).toBe(accepted)
    }).pipe(Effect.provide(openAiServer({ faults }, options)))
  )

  it.live("pays once if its own timeout ends the call", () =>
    Effect.gen(function* () {
      const result = yield* call({ timeout: 1_000 })
      // OpenAI's client sends the request again, and LangChain's tool has no timeout. The AI SDK gives up.
      expect(Either.isRight(result)).toBe(!name.startsWith("ai "))
      expect(yield* delivered).toMatchObject(completed)
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer({ drawTime: "1500 millis" })))
  )

  it.live("leaves its images at the server if it leaves", () =>
    Effect.gen(function* () {
      const controller = new AbortController()
      const fiber = yield* Effect.fork(call({ signal: controller.signal }))
      yield* awaitSubmissions(1)
      controller.abort()
      // LangChain's tool ignores the signal.
      expect(Either.isLeft(yield* Fiber.join(fiber))).toBe(!name.startsWith("LangChain"))
      expect(yield* delivered).toMatchObject(completed)
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer({ drawTime: "1 second" })))
  )

  // fault: Server | lost connection to a client | the request that the client sends again joins the generation
  it.scopedLive("pays once if its connection is lost", () =>
    Effect.gen(function* () {
      const { cut, url } = yield* cutProxy(yield* origin)
      const fiber = yield* Effect.fork(call({ baseURL: `${url}/v1` }))
      yield* awaitSubmissions(1)
      cut()
      expect(yield* Fiber.join(fiber)).toEqual(Either.right(any(String)))
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer({ drawTime: "300 millis" })))
  )
})
