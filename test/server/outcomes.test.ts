import { describe, expect, it } from "@effect/vitest"
import { Context, DefaultServices, Effect, Layer, Tracer } from "effect"
import type { ArtaServer } from "effect-arta/server"
import { Fault } from "effect-arta/testing"
import { bodyOf, eventsOf, generate, matching, openAiServer, submissions, withFields } from "../support/openAiServer.js"

const nativeTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Fails when the span of a generation ends, as one whose exporter is down may. */
const brokenTracer = Tracer.make({
  ...nativeTracer,
  span: (name, ...options) => {
    const span = nativeTracer.span(name, ...options)
    const end = () => {
      throw new Error("The exporter is down.")
    }
    return name === "Arta.run" ? Object.assign(span, { end }) : span
  }
})

interface Case {
  readonly outcome: string
  readonly faults: ReadonlyArray<Fault.Fault>
  readonly status: number
  readonly code: string
  readonly says: RegExp
  /** What the client learns about the generation. */
  readonly tells: "recordId" | "seed" | "neither"
  /** Submissions that reached the service. */
  readonly sent: number
  readonly options?: ArtaServer.Options
}

const cases: ReadonlyArray<Case> = [
  {
    outcome: "a lost response to the submission",
    faults: [Fault.drop("submit", { handled: true })],
    status: 424,
    code: "submission_unknown",
    says: /may or may not have accepted.*seed 7/,
    tells: "seed",
    sent: 1
  },
  {
    outcome: "HTTP 500 for the submission",
    faults: [Fault.respond("submit", 500)],
    status: 424,
    code: "submission_unknown",
    says: /may or may not have accepted/,
    tells: "seed",
    sent: 1
  },
  {
    outcome: "a rate limit before the submission",
    faults: [Fault.respond("submit", 429, { headers: { "retry-after": "600" } })],
    status: 429,
    code: "rate_limit_exceeded",
    says: /Too many requests/,
    tells: "neither",
    sent: 1
  },
  {
    outcome: "a failed generation",
    faults: [Fault.failGeneration("FAILED", "NSFW content")],
    status: 422,
    code: "generation_failed",
    says: /record-.*FAILED: NSFW content/,
    tells: "recordId",
    sent: 1
  },
  {
    outcome: "a generation that takes too long",
    faults: [Fault.hang("status"), Fault.hang("status"), Fault.hang("status")],
    status: 424,
    code: "generation_timeout",
    says: /may still finish.*GET \/v1\/images\/generations\/record-/,
    tells: "recordId",
    sent: 1,
    options: { timeout: "1 second" }
  },
  {
    outcome: "a submission without a response",
    faults: [Fault.hang("submit")],
    status: 424,
    code: "generation_timeout",
    says: /may have accepted.*seed 7/,
    tells: "seed",
    sent: 1,
    options: { timeout: "1 second" }
  },
  {
    outcome: "an empty result",
    faults: [Fault.respond("status", 200, { body: { status: "DONE", response: [] } })],
    status: 422,
    code: "generation_failed",
    says: /record-/,
    tells: "recordId",
    sent: 1
  },
  {
    outcome: "images that cannot be downloaded",
    faults: Array.from({ length: 12 }, () => Fault.respond("image", 403)),
    status: 424,
    code: "download",
    says: /record-.*complete, but its images could not be downloaded/,
    tells: "recordId",
    sent: 1
  },
  {
    outcome: "an account that the identity service refuses",
    faults: [Fault.identityError("signUp", "USER_DISABLED")],
    status: 424,
    code: "auth",
    says: /account is disabled/,
    tells: "neither",
    sent: 0
  }
]

const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

const resent = [408, 409, 429]

describe.concurrent("A generation that does not deliver", { timeout: 60_000 }, () => {
  // fault: Server | lost response to a submission | 424 with the seed, nothing is sent again
  // fault: Server | HTTP 500 for a submission | 424 with the seed, nothing is sent again
  // fault: Server | rate limit before the submission | 429 with Retry-After
  // fault: Server | rate limit after the submission | waits, and delivers the images
  // fault: Server | failed generation | 422 with the record id
  // fault: Server | timeout of a generation | 424 with the record id
  // fault: Server | timeout of a submission | 424 with the seed
  // fault: Server | DONE without images | 422 with the record id
  // fault: Server | no image can be downloaded | 424 with the record id
  it.live.each(cases)("tells of $outcome, and is not submitted again", (expected) =>
    Effect.gen(function* () {
      const response = yield* generate({ prompt: "a fox", seed: 7 })
      const { error, record_id: recordId, seed } = bodyOf(response)
      expect(response.status).toBe(expected.status)
      expect(error).toMatchObject({ code: expected.code, message: matching(expected.says), param: null })
      expect({ recordId: typeof recordId, seed }).toEqual({
        recordId: expected.tells === "recordId" ? "string" : "undefined",
        seed: expected.tells === "seed" ? 7 : undefined
      })
      if (expected.tells !== "neither") expect(resent).not.toContain(response.status)
      expect(response.status).toBeLessThan(500)
      expect(response.headers.get("x-should-retry")).toBe("false")
      expect(yield* submissions).toBe(expected.sent)
    }).pipe(Effect.provide(openAiServer({ faults: expected.faults }, expected.options)))
  )

  it.live("tells of a failed generation in its stream", () =>
    Effect.gen(function* () {
      const response = yield* generate({ prompt: "a fox", stream: true })
      expect(response.status).toBe(200)
      expect(eventsOf(response)).toEqual([
        withFields({ type: "error", error: withFields({ code: "generation_failed" }) })
      ])
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer({ faults: [Fault.failGeneration("FAILED")] })))
  )

  it.live("may be sent again if nothing was accepted", () =>
    Effect.gen(function* () {
      const first = yield* generate({ prompt: "a fox" })
      const second = yield* generate({ prompt: "a fox" }, { "x-stainless-retry-count": "1" })
      expect([first.status, second.status]).toEqual([424, 200])
    }).pipe(Effect.provide(openAiServer({ faults: [Fault.respond("submit", 403)] })))
  )

  it.live("waits for a rate limit after the submission", () =>
    Effect.gen(function* () {
      expect((yield* generate({ prompt: "a fox" })).status).toBe(200)
      expect(yield* submissions).toBe(1)
    }).pipe(
      Effect.provide(openAiServer({ faults: [Fault.respond("status", 429, { headers: { "retry-after": "1" } })] }))
    )
  )

  it.live("delivers the images though the tracer fails after them", () =>
    Effect.gen(function* () {
      const response = yield* generate({ prompt: "a fox" })
      expect(response.status).toBe(200)
      expect(bodyOf(response)).toMatchObject({ data: [{ b64_json: expect.any(String) as unknown }] })
    }).pipe(Effect.provide(Layer.provide(openAiServer(), Layer.setTracer(brokenTracer))))
  )

  it.live("delivers the images that came", () =>
    Effect.gen(function* () {
      const response = yield* generate({ prompt: "a fox", n: 2 })
      expect(response.status).toBe(200)
      expect(bodyOf(response)).toMatchObject({ missing: 1, data: [{ b64_json: dot }] })
    }).pipe(
      Effect.provide(
        openAiServer({
          faults: [
            Fault.respond("status", 200, {
              body: { status: "DONE", response: [{ url: null }, { url: `data:image/png;base64,${dot}` }] }
            })
          ]
        })
      )
    )
  )
})
