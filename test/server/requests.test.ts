import { describe, expect, it } from "@effect/vitest"
import { Validator } from "@seriousme/openapi-schema-validator"
import { Effect } from "effect"
import {
  any,
  bodyOf,
  containing,
  eventsOf,
  generate,
  key,
  matching,
  openAiServer,
  post,
  send,
  submissions,
  withFields
} from "../support/openAiServer.js"

const noKey = { authorization: "" }

interface Bad {
  readonly what: string
  readonly request: ReturnType<typeof generate>
  readonly status: number
  readonly param?: string
  readonly code?: string
}

const withBody = (body: unknown, param?: string, status = 400): Omit<Bad, "what"> => ({
  request: generate(body),
  status,
  ...(param !== undefined && { param })
})

const chunked = (megabytes: number) =>
  new ReadableStream({
    start: (controller) => {
      for (let sent = 0; sent < megabytes; sent++) controller.enqueue(new Uint8Array(1024 * 1024).fill(97))
      controller.close()
    }
  })

const streamed = { duplex: "half" } as const

const large = (method: string, body: BodyInit) =>
  send("/v1/images/generations", { method, body, headers: { "content-type": "application/json" }, ...streamed })

const bad: ReadonlyArray<Bad> = [
  { what: "a body above 1 MiB", request: large("POST", JSON.stringify({ prompt: "a".repeat(2 ** 20) })), status: 413 },
  { what: "a chunked body above 1 MiB", request: large("POST", chunked(3)), status: 413 },
  { what: "JSON that is cut off", ...withBody('{"prompt":') },
  { what: "a list", ...withBody([{ prompt: "a fox" }]) },
  { what: "a null", ...withBody("null") },
  { what: "an empty body", ...withBody("") },
  { what: "JSON of a million brackets", ...withBody("[".repeat(1_000_000)) },
  { what: "no prompt", ...withBody({}, "prompt") },
  { what: "a blank prompt", ...withBody({ prompt: " \u3000\n" }, "prompt") },
  { what: "a list of prompts", ...withBody({ prompt: ["a fox"] }, "prompt") },
  { what: "n = 0", ...withBody({ prompt: "a fox", n: 0 }, "n") },
  { what: "n = 100", ...withBody({ prompt: "a fox", n: 100 }, "n") },
  { what: "n = 1e308", ...withBody('{"prompt":"a fox","n":1e308}', "n") },
  { what: "n = 1e999", ...withBody('{"prompt":"a fox","n":1e999}', "n") },
  { what: "n = 1.5", ...withBody({ prompt: "a fox", n: 1.5 }, "n") },
  { what: "steps = 101", ...withBody({ prompt: "a fox", steps: 101 }, "steps") },
  { what: "a negative seed", ...withBody({ prompt: "a fox", seed: -1 }, "seed") },
  { what: "a negative guidance", ...withBody({ prompt: "a fox", guidance_scale: -1 }, "guidance_scale") },
  { what: "an aspect ratio of 0:1", ...withBody({ prompt: "a fox", aspect_ratio: "0:1" }, "aspect_ratio") },
  { what: "a size of 0x0", ...withBody({ prompt: "a fox", size: "0x0" }, "size") },
  { what: "a size of words", ...withBody({ prompt: "a fox", size: "large" }, "size") },
  { what: "a size that is a number", ...withBody({ prompt: "a fox", size: 1024 }, "size") },
  { what: "a transparent background", ...withBody({ prompt: "a fox", background: "transparent" }, "background") },
  { what: "a stream that is a word", ...withBody({ prompt: "a fox", stream: "yes" }, "stream") },
  { what: "an unknown model", ...withBody({ prompt: "a fox", model: "dalle" }, "model", 404), code: "model_not_found" },
  { what: "a model that is a number", ...withBody({ prompt: "a fox", model: 3 }, "model") },
  { what: "no key", request: generate({ prompt: "a fox" }, noKey), status: 401, code: "invalid_api_key" },
  { what: "a wrong key", request: generate({ prompt: "a fox" }, { authorization: "Bearer wrong" }), status: 401 },
  { what: "a longer key", request: generate({ prompt: "a fox" }, { authorization: `Bearer ${key}x` }), status: 401 },
  { what: "a key without Bearer", request: generate({ prompt: "a fox" }, { authorization: key }), status: 401 },
  {
    what: "a key in two parts",
    request: generate({ prompt: "a fox" }, { authorization: `Bearer x, Bearer ${key}` }),
    status: 401
  },
  { what: "another origin", request: generate({ prompt: "a fox" }, { origin: "https://evil.example" }), status: 403 },
  { what: "the origin null", request: generate({ prompt: "a fox" }, { origin: "null" }), status: 403 },
  { what: "an edit", request: post("/v1/images/edits", {}), status: 400, code: "unsupported" },
  { what: "a variation", request: post("/v1/images/variations", {}), status: 400, code: "unsupported" },
  { what: "a chat", request: post("/v1/chat/completions", { messages: [] }), status: 404, code: "chat_is_off" },
  { what: "a route without /v1", request: post("/images/generations", {}), status: 404, code: "unknown_url" },
  { what: "another method", request: large("PUT", "{}"), status: 404, code: "unknown_url" },
  { what: "an unknown record", request: send("/v1/images/generations/nope"), status: 404, code: "not_found" },
  { what: "a record id with a line break", request: send("/v1/images/generations/a%0Ab"), status: 400 },
  { what: "an unknown model by its name", request: send("/v1/models/x"), status: 404, code: "model_not_found" }
]

interface Form {
  readonly program: string
  readonly body: object
  readonly draws: object
}

const flux = { model: "Flux", n: 1 }

/** What these programs send, read in their sources in November 2026. */
const forms: ReadonlyArray<Form> = [
  {
    program: "Open WebUI",
    body: { model: "dall-e-3", prompt: "a fox", n: 1, size: "512x512", response_format: "b64_json" },
    draws: { ...flux, aspect_ratio: "1:1" }
  },
  {
    program: "Open WebUI with gpt-image-1",
    body: { model: "gpt-image-1.5", prompt: "a fox", n: 2, size: "auto" },
    draws: { model: containing("GPT4o"), n: 2, aspect_ratio: "1:1" }
  },
  {
    program: "LibreChat",
    body: { model: "dall-e-3", quality: "standard", style: "vivid", size: "1024x1792", prompt: "a fox", n: 1 },
    draws: { ...flux, aspect_ratio: "9:16" }
  },
  {
    program: "LibreChat's agents",
    body: {
      model: "gpt-image-1",
      prompt: "a fox",
      n: 1,
      background: "auto",
      output_format: "webp",
      output_compression: 100,
      quality: "auto",
      size: "1536x1024",
      user: "mongo-id"
    },
    draws: { model: containing("GPT4o"), aspect_ratio: "3:2" }
  },
  {
    program: "LobeChat",
    body: { model: "flux", n: 1, prompt: "a fox", size: "1024x1536", seed: null, aspectRatio: "1:1" },
    draws: { ...flux, aspect_ratio: "2:3" }
  },
  {
    program: "SillyTavern",
    body: {
      prompt: "a fox",
      model: "dall-e-3",
      size: "1792x1024",
      n: 1,
      quality: "hd",
      style: "vivid",
      response_format: "b64_json"
    },
    draws: { ...flux, aspect_ratio: "16:9" }
  },
  {
    program: "SillyTavern with gpt-image-1",
    body: { prompt: "a fox", model: "gpt-image-1", size: "1536x1024", n: 1, quality: "auto", moderation: "low" },
    draws: { model: containing("GPT4o"), aspect_ratio: "3:2" }
  },
  {
    program: "n8n",
    body: { prompt: "a fox", model: "dall-e-3", response_format: "url", quality: "standard", size: "1792x1024" },
    draws: { ...flux, aspect_ratio: "16:9" }
  },
  {
    program: "a program of ARTA",
    body: {
      prompt: "🦊 \u0000 灯台",
      model: "Watercolor",
      n: 8,
      steps: 100,
      guidance_scale: 0,
      seed: 0,
      negative_prompt: "",
      aspect_ratio: "5:4",
      size: "1024x1024"
    },
    draws: {
      model: "Watercolor",
      n: 8,
      steps: 100,
      guidance_scale: 0,
      seed: 0,
      negative_prompt: "",
      aspect_ratio: "5:4"
    }
  }
]

describe.concurrent("A request", { timeout: 60_000 }, () => {
  // fault: Server | oversized, malformed, slow, foreign and unauthorized requests | an error in OpenAI's form, nothing is sent
  it.live.each(bad)("with $what is refused, and nothing is submitted", ({ code, param = null, request, status }) =>
    Effect.gen(function* () {
      const response = yield* request
      const { error } = bodyOf(response)
      expect(response.status).toBe(status)
      expect(error).toMatchObject({
        message: matching(/^[\x20-\x7e\u3000]{10,400}$/),
        type: any(String),
        code: code ?? any(String)
      })
      if (param !== null) expect(error).toMatchObject({ param })
      expect(response.headers.get("x-should-retry")).toBe("false")
      expect(yield* submissions).toBe(0)
    }).pipe(Effect.provide(openAiServer()))
  )

  // fault: Server | record id that no header can contain | the response, without that header
  it.live("for a record id that no header can contain gets its events", () =>
    Effect.gen(function* () {
      const response = yield* send(`/v1/images/generations/${encodeURIComponent("🦊")}?stream=true`)
      expect(response.status).toBe(200)
      expect(response.text).toContain('"record_id":"🦊"')
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live.each(forms)("of $program draws what it says", ({ body, draws }) =>
    Effect.gen(function* () {
      const response = yield* generate(body)
      expect(response.status).toBe(200)
      const { data, record_id: recordId } = bodyOf(response)
      const images = Array.from({ length: "n" in draws ? Number(draws.n) : 1 }, () => ({
        b64_json: any(String)
      }))
      expect(data).toEqual(images)
      const { data: listed } = bodyOf(yield* send("/v1/images/generations"))
      expect(listed).toEqual([withFields({ id: recordId, status: "completed", request: withFields(draws) })])
      expect(bodyOf(yield* send(`/v1/images/generations/${String(recordId)}`))).toMatchObject({
        status: "completed",
        data
      })
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("for a stream gets an event for each image, and events of the progress on demand", () =>
    Effect.gen(function* () {
      const plain = yield* generate({ prompt: "a fox", n: 2, stream: true })
      expect(plain.headers.get("content-type")).toContain("text/event-stream")
      const completed = { type: "image_generation.completed", b64_json: any(String), usage: any(Object) }
      expect(eventsOf(plain)).toEqual([0, 1].map((index) => withFields({ ...completed, index })))

      const events = eventsOf(yield* generate({ prompt: "a fox", stream: true, progress: true }))
      expect(events.at(-1)).toMatchObject(completed)
      expect(events.slice(0, -1)).not.toEqual([])
      for (const event of events.slice(0, -1)) {
        expect(event).toMatchObject({
          type: "arta.progress",
          record_id: any(String),
          request: { prompt: "a fox" }
        })
      }

      const again = eventsOf(yield* send(`/v1/images/generations/${String(events[0]?.["record_id"])}?stream=true`))
      expect(again.at(-1)).toMatchObject(completed)
      expect(yield* submissions).toBe(2)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("for a chat generates an image of the last messages", () =>
    Effect.gen(function* () {
      const messages = [
        { role: "user", content: "a fox" },
        { role: "assistant", content: "![Image 1](https://images.test/0.png)" },
        { role: "user", content: [{ type: "text", text: "a hare" }] }
      ]
      const whole = yield* post("/v1/chat/completions", { model: "flux", messages })
      const content = matching(/^!\[Image 1\]\(http\S+\)\n\nSeed \d+, record id record-/)
      expect(bodyOf(whole)).toMatchObject({ choices: [{ message: { role: "assistant", content } }] })
      const stream = yield* post("/v1/chat/completions", { model: "flux", messages, stream: true })
      expect(stream.text).toContain("data: [DONE]")
      expect(eventsOf(stream)[1]).toMatchObject({ choices: [{ delta: { content } }] })
      expect(bodyOf(yield* send("/v1/images/generations"))["data"]).toMatchObject([
        { request: { prompt: "a hare" } },
        { request: { prompt: "a hare" } }
      ])
      const task = { messages: [{ role: "user", content: "### Task:\nGenerate a title" }] }
      expect((yield* post("/v1/chat/completions", task)).status).toBe(400)
      expect(yield* submissions).toBe(2)
    }).pipe(Effect.provide(openAiServer({}, { chat: true })))
  )

  it.live("of an allowed origin can be sent by a page, with a key", () =>
    Effect.gen(function* () {
      const page = { origin: "https://chat.example" }
      const preflight = yield* send("/v1/images/generations", {
        method: "OPTIONS",
        headers: { ...page, "access-control-request-headers": "authorization,content-type" }
      })
      expect(preflight.headers.get("access-control-allow-origin")).toBe("https://chat.example")
      expect(preflight.headers.get("access-control-allow-headers")).toBe("authorization,content-type")
      expect((yield* send("/v1/models", { headers: page })).headers.get("access-control-allow-origin")).toBe(
        page.origin
      )
      expect((yield* send("/v1/models", { headers: { origin: "https://chat.example.evil" } })).status).toBe(403)
    }).pipe(Effect.provide(openAiServer({}, { cors: ["https://chat.example"] })))
  )

  it.live("finds the models, the health and a valid OpenAPI document", () =>
    Effect.gen(function* () {
      const { data } = bodyOf(yield* send("/v1/models"))
      for (const id of ["flux", "dall-e-3", "gpt-image-1"]) {
        const model = { id, object: "model", created: any(Number), owned_by: "arta" }
        expect(data).toContainEqual(model)
        expect(bodyOf(yield* send(`/v1/models/${id}`))).toEqual(model)
      }
      expect((yield* send("/healthz", { headers: noKey })).status).toBe(200)
      const document = bodyOf(yield* send("/openapi.json", { headers: noKey }))
      const validated = yield* Effect.promise(() => new Validator().validate({ ...document }))
      expect(validated).toMatchObject({ valid: true })
    }).pipe(Effect.provide(openAiServer({}, { chat: true })))
  )
})
