import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, Ref } from "effect"
import { Fault } from "effect-arta/testing"
import {
  any,
  bodyOf,
  containing,
  eventsOf,
  generate,
  matching,
  openAiServer,
  post,
  send,
  submissions
} from "../support/openAiServer.js"

const fox = { prompt: "a fox", seed: 7 }

/** Whether a number is a moment of the last minute, in seconds. */
const expectNow = (seconds: unknown) => {
  expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(60)
}

const page = Fault.respond("image", 200, { body: "<h1>Sorry</h1>" })

const noUsage = {
  input_tokens: 0,
  input_tokens_details: { image_tokens: 0, text_tokens: 0 },
  output_tokens: 0,
  total_tokens: 0
}

describe.concurrent("The response of the server", { timeout: 60_000 }, () => {
  it.live("to a request for images is complete", () =>
    Effect.gen(function* () {
      const response = yield* generate(fox)
      const { created, ...body } = bodyOf(response)
      expectNow(created)
      expect(body).toEqual({
        data: [{ b64_json: matching(/^iVBORw0KGgo/) }],
        output_format: "png",
        record_id: containing("record-"),
        model: "Flux",
        seed: 7
      })
      expect(response.headers.get("x-request-id")).toBe(body["record_id"])
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("names what is missing", () =>
    Effect.gen(function* () {
      const { data, missing, warnings } = bodyOf(yield* generate({ ...fox, n: 3 }))
      expect(data).toHaveLength(2)
      expect([missing, warnings]).toEqual([1, [matching(/^Could not download .*not a PNG/)]])
    }).pipe(Effect.provide(openAiServer({ faults: [page] })))
  )

  it.live("without any image says how to get them", () =>
    Effect.gen(function* () {
      const { error } = bodyOf(yield* generate(fox))
      expect(error).toMatchObject({
        type: "generation_error",
        code: "download",
        param: null,
        message: matching(
          /^The generation (record-\w+) is complete, but its images could not be downloaded\. Could not download .*not a PNG.*\. GET \/v1\/images\/generations\/\1 tries again, at no cost\.$/
        )
      })
    }).pipe(Effect.provide(openAiServer({ faults: [page, page, page, page] })))
  )

  it.live("to a stream is complete, and is not kept by a proxy", () =>
    Effect.gen(function* () {
      const response = yield* generate({ ...fox, stream: true })
      expect(response.headers.get("cache-control")).toBe("no-store")
      expect(response.headers.get("x-accel-buffering")).toBe("no")
      const [event] = eventsOf(response)
      const { created_at: created, ...data } = event ?? {}
      expectNow(created)
      expect(data).toEqual({
        type: "image_generation.completed",
        b64_json: any(String),
        background: "opaque",
        output_format: "png",
        quality: "auto",
        size: "auto",
        usage: noUsage,
        index: 0,
        record_id: response.headers.get("x-request-id")
      })
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("with the progress says how long it took", () =>
    Effect.gen(function* () {
      const events = eventsOf(yield* generate({ ...fox, stream: true, progress: true }))
      const progress = events.slice(0, -1)
      expect(progress.at(-1)).toMatchObject({ status: "in_progress" })
      const elapsed = progress.map((event) => Number(event["elapsed_seconds"]))
      expect(elapsed).toEqual(elapsed.toSorted((a, b) => a - b))
      expect(elapsed.at(-1)).toBeGreaterThan(0)
      expect(elapsed.at(-1)).toBeLessThan(60)
    }).pipe(Effect.provide(openAiServer({ queueTime: "1 second", drawTime: "3 seconds" })))
  )

  it.live.each([
    {
      request: () => generate(fox, { authorization: "" }),
      status: 401,
      type: "authentication_error",
      authenticate: "Bearer"
    },
    { request: () => generate({ ...fox, n: 0 }), status: 400, type: "invalid_request_error", authenticate: null },
    {
      request: () => send("/v1/images/generations/nope"),
      status: 404,
      type: "invalid_request_error",
      authenticate: null
    }
  ])("to an error with $status has OpenAI's form", ({ authenticate, request, status, type }) =>
    Effect.gen(function* () {
      const response = yield* request()
      expect(response.status).toBe(status)
      expect(response.headers.get("www-authenticate")).toBe(authenticate)
      expect(response.headers.get("x-request-id")).toBe(null)
      expect(Object.keys(bodyOf(response))).toEqual(["error"])
      expect(bodyOf(response)["error"]).toMatchObject({
        type,
        param: expect.toSatisfy((value) => value !== undefined) as unknown
      })
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live.each<[string, string]>([
    [
      "/images/generations",
      "There is no such route: POST. The base URL of a client must end with /v1. See /openapi.json."
    ],
    ["/v1/images", "There is no such route: POST. See /openapi.json."],
    ["/v2/v1/images", "There is no such route: POST. The base URL of a client must end with /v1. See /openapi.json."]
  ])("to a request for %s names what is wrong", ([path, message]) =>
    Effect.gen(function* () {
      expect(bodyOf(yield* post(path, {}))["error"]).toMatchObject({ message, code: "unknown_url" })
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("to a limited rate says when to try again", () =>
    Effect.gen(function* () {
      const response = yield* generate(fox)
      expect(response.status).toBe(429)
      expect(response.headers.get("retry-after")).toBe("600")
      expect(bodyOf(response)["error"]).toMatchObject({ type: "rate_limit_error", code: "rate_limit_exceeded" })
    }).pipe(
      Effect.provide(openAiServer({ faults: [Fault.respond("submit", 429, { headers: { "retry-after": "600" } })] }))
    )
  )
})

describe.concurrent("A chat", { timeout: 60_000 }, () => {
  const chat = (body: object = {}) =>
    post("/v1/chat/completions", { messages: [{ role: "user", content: "a fox" }], ...body })

  it.live("is completed as OpenAI does", () =>
    Effect.gen(function* () {
      const response = yield* chat({ seed: 7 })
      const { created, ...body } = bodyOf(response)
      expectNow(created)
      const recordId = response.headers.get("x-request-id") ?? ""
      expect(body).toEqual({
        id: `chatcmpl-${recordId}`,
        model: "Flux",
        object: "chat.completion",
        choices: [
          {
            index: 0,
            message: {
              role: "assistant",
              content: matching(new RegExp(`^!\\[Image 1\\]\\(http\\S+/0\\.png\\)\n\nSeed 7, record id ${recordId}$`)),
              refusal: null
            },
            logprobs: null,
            finish_reason: "stop"
          }
        ],
        usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
      })
    }).pipe(Effect.provide(openAiServer({}, { chat: true })))
  )

  it.live("is streamed as OpenAI does", () =>
    Effect.gen(function* () {
      const response = yield* chat({ stream: true })
      const events = eventsOf(response)
      const choice = (delta: object, reason: string | null) => ({
        id: `chatcmpl-${response.headers.get("x-request-id") ?? ""}`,
        created: any(Number),
        model: "Flux",
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }]
      })
      expect(events).toEqual([
        choice({ role: "assistant", content: "" }, null),
        choice({ content: containing("![Image 1]") }, null),
        choice({}, "stop")
      ])
    }).pipe(Effect.provide(openAiServer({}, { chat: true })))
  )

  it.live("has links that Markdown reads", () =>
    Effect.gen(function* () {
      const response = ["a (1)<2>.png", "b.png"].map((name) => ({ url: `https://images.test/${name}` }))
      const done = Fault.respond("status", 200, { body: { status: "DONE", response } })
      const server = openAiServer({ faults: [done] }, { chat: true })
      const { choices } = bodyOf(yield* Effect.provide(chat(), server))
      expect(choices).toMatchObject([
        {
          message: {
            content: matching(
              /^!\[Image 1\]\(<https:\/\/images\.test\/a%20\(1\)%3C2%3E\.png>\)\n\n!\[Image 2\]\(https:\/\/images\.test\/b\.png\)\n\nSeed/
            )
          }
        }
      ])
    })
  )

  it.live("that fails tells why, in its stream too", () =>
    Effect.gen(function* () {
      expect((yield* chat({ stream: true })).status).toBe(424)
      const whole = yield* chat()
      expect(whole.status).toBe(422)
      expect(bodyOf(whole)["error"]).toMatchObject({ code: "generation_failed", message: containing("NSFW: not that") })
      const events = eventsOf(yield* chat({ stream: true }))
      expect(events.at(-1)).toMatchObject({ error: { code: "generation_failed" }, record_id: containing("record-") })
      expect(yield* submissions).toBe(3)
    }).pipe(
      Effect.provide(
        openAiServer(
          {
            faults: [
              Fault.failGeneration("NSFW", "not that"),
              Fault.failGeneration("NSFW", "not that"),
              Fault.respond("submit", 402)
            ]
          },
          { chat: true }
        )
      )
    )
  )

  it.live.each([
    [" \n### Task:\nGenerate a title", 400],
    ["What is ### Task: for?", 200]
  ])("that asks for text is refused: %j", ([content, status]) =>
    Effect.gen(function* () {
      expect((yield* chat({ messages: [{ role: "user", content }] })).status).toBe(status)
    }).pipe(Effect.provide(openAiServer({}, { chat: true })))
  )

  it.live("without messages is refused", () =>
    Effect.gen(function* () {
      expect(bodyOf(yield* chat({ messages: undefined }))["error"]).toMatchObject({ param: "messages" })
    }).pipe(Effect.provide(openAiServer({}, { chat: true })))
  )
})

describe.concurrent("The log of the server", { timeout: 60_000 }, () => {
  it.live("has a line for each request, without its query", () =>
    Effect.gen(function* () {
      const lines = yield* Ref.make<ReadonlyArray<string>>([])
      const logger = Logger.make(({ message }) => {
        Effect.runSync(Ref.update(lines, (all) => [...all, String(message)]))
      })
      const recordId = yield* Effect.gen(function* () {
        yield* send("/v1/models/flux?secret=1")
        yield* send(`/${"a".repeat(119)}`)
        yield* send(`/${"a".repeat(120)}`)
        return bodyOf(yield* generate(fox))["record_id"]
      }).pipe(Effect.provide(openAiServer({}, {}, Logger.replace(Logger.defaultLogger, logger))))
      expect(yield* lines).toEqual([
        matching(/^GET \/v1\/models\/flux 200 \d{1,4} ms$/),
        matching(/^GET \/a{119} 404 \d{1,4} ms$/),
        matching(/^GET \/a{119}… 404 \d{1,4} ms$/),
        `Submitted ${String(recordId)}: Flux, n 1, seed 7`,
        matching(new RegExp(`^POST /v1/images/generations 200 ${String(recordId)} \\d{1,5} ms$`))
      ])
    })
  )
})
