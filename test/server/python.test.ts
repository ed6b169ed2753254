import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { any, bodyOf, eventsOf, generate, openAiServer, submissions, withFields } from "../support/openAiServer.js"

/** What openai-python 3.22.1 sent, recorded on a socket. */
const pythonHeaders = {
  "accept-encoding": "gzip, deflate",
  accept: "application/json",
  "content-type": "application/json",
  "user-agent": "OpenAI/Python 3.22.1",
  "x-stainless-lang": "python",
  "x-stainless-package-version": "3.22.1",
  "x-stainless-os": "Linux",
  "x-stainless-arch": "x64",
  "x-stainless-runtime": "CPython",
  "x-stainless-runtime-version": "3.11.7",
  "x-stainless-async": "false",
  "x-stainless-retry-count": "0",
  "x-stainless-read-timeout": "600"
}

const python: ReadonlyArray<{
  readonly call: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  readonly images: number
}> = [
  { call: "images.generate(prompt)", body: '{"prompt":"a fox"}', images: 1 },
  {
    call: "images.generate with every option of dall-e-3",
    body: '{"prompt":"a 🦊","model":"dall-e-3","n":1,"quality":"hd","response_format":"b64_json","size":"1792x1024","style":"vivid","user":"u","seed":7}',
    images: 1
  },
  {
    call: "AsyncOpenAI's images.generate",
    body: '{"prompt":"a fox","n":2}',
    headers: { "user-agent": "AsyncOpenAI/Python 3.22.1", "x-stainless-async": "async:asyncio" },
    images: 2
  }
]

describe.concurrent("A request of openai-python", { timeout: 60_000 }, () => {
  it.live.each(python)("by $call gets its images, and joins itself when sent again", (form) =>
    Effect.gen(function* () {
      const sent = { ...pythonHeaders, ...form.headers }
      const first = yield* generate(form.body, sent)
      const again = yield* generate(form.body, { ...sent, "x-stainless-retry-count": "1" })
      expect([first.status, again.status]).toEqual([200, 200])
      expect(bodyOf(first)).toMatchObject({
        created: any(Number),
        data: Array.from({ length: form.images }, () => ({ b64_json: any(String) }))
      })
      expect(again.text).toBe(first.text)
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("for a stream, with partial images, gets the event that ends it", () =>
    Effect.gen(function* () {
      const body = '{"prompt":"a fox","model":"gpt-image-1","partial_images":2,"stream":true}'
      const response = yield* generate(body, pythonHeaders)
      expect(eventsOf(response)).toEqual([withFields({ type: "image_generation.completed", b64_json: any(String) })])
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer()))
  )
})
