import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { connect } from "node:net"
import {
  any,
  bodyOf,
  eventsOf,
  generate,
  key,
  openAiServer,
  origin,
  send,
  submissions
} from "../support/openAiServer.js"

/** Sends bytes as they are, and returns all that comes back. */
const sendRaw = (...parts: ReadonlyArray<string>) =>
  Effect.flatMap(origin, (url) => {
    const { hostname, port } = new URL(url)
    return Effect.async<string>((resume) => {
      let text = ""
      const socket = connect(Number(port), hostname, () => {
        for (const part of parts) socket.write(part)
      })
      socket.on("data", (chunk) => (text += chunk.toString()))
      // The server may close the connection while this sends.
      socket.on("error", () => undefined)
      socket.on("close", () => {
        resume(Effect.succeed(text))
      })
    })
  })

const statusOf = (response: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1])

/** The status of a request with these headers. */
const statusWith = (headers: string) =>
  Effect.map(sendRaw(`GET /v1/models HTTP/1.1\r\nConnection: close\r\n${headers}\r\n\r\n`), statusOf)

const bearer = `Authorization: Bearer ${key}`

describe.concurrent("The guard of the server", { timeout: 60_000 }, () => {
  it.live.each([
    [`bearer ${key}`, 200],
    [`Bearer    ${key}`, 200],
    [`Bearer ${key}`, 200],
    [`xBearer ${key}`, 401],
    [`Bearer\t${key}`, 401],
    [`Basic ${key}`, 401],
    ["Bearer", 401]
  ])("reads the key from %j: %d", ([authorization, status]) =>
    Effect.gen(function* () {
      expect((yield* send("/v1/models", { headers: { authorization: String(authorization) } })).status).toBe(status)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("needs no key if the server has none", () =>
    Effect.gen(function* () {
      expect((yield* send("/v1/models", { headers: { authorization: "" } })).status).toBe(200)
      const document = bodyOf(yield* send("/openapi.json"))
      expect(document).not.toHaveProperty("security")
      expect(document["components"]).not.toHaveProperty("securitySchemes")
    }).pipe(Effect.provide(openAiServer({}, { key: undefined })))
  )

  it.live.each([
    ["localhost", 200],
    ["LocalHost:8080", 200],
    ["arta.localhost", 200],
    ["127.0.0.1:1", 200],
    ["127.255.0.12", 200],
    ["[::1]:8080", 200],
    ["host.docker.internal", 200],
    ["evil.example", 403],
    ["localhost.evil.example", 403],
    ["xlocalhost", 403],
    [".localhost", 403],
    ["127.0.0.1.evil.example:80", 403],
    ["192.168.0.1", 403],
    ["host.docker.internal.evil.example", 403]
  ])("responds to a request for the host %s with %d", ([host, status]) =>
    Effect.gen(function* () {
      expect(yield* statusWith(`Host: ${String(host)}\r\n${bearer}`)).toBe(status)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live.each([
    ["http://localhost:80", 200],
    ["https://localhost:80", 200],
    ["http://localhost", 403],
    ["https://evil.example", 403],
    ["null", 403]
  ])("responds to a page from %s with %d", ([page, status]) =>
    Effect.gen(function* () {
      expect(yield* statusWith(`Host: localhost:80\r\nOrigin: ${String(page)}\r\n${bearer}`)).toBe(status)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("takes requests of every page if it is told to, and shows them its headers", () =>
    Effect.gen(function* () {
      const response = yield* send("/v1/models", { headers: { origin: "https://any.example" } })
      expect(response.status).toBe(200)
      expect(response.headers.get("access-control-allow-origin")).toBe("*")
      expect(response.headers.get("access-control-expose-headers")).toBe("retry-after,x-request-id")
    }).pipe(Effect.provide(openAiServer({}, { cors: "*", key: Redacted.make(key) })))
  )
})

const head = (headers: string) =>
  `POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\n${bearer}\r\nConnection: close\r\n${headers}\r\n\r\n`

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`

const mebibyte = 1024 * 1024

const paddedTo = (size: number) => {
  const [start, end] = ['{"prompt":"a fox","user":"', '"}']
  return `${start}${"x".repeat(size - start.length - end.length)}${end}`
}

describe.concurrent("The body of a request", { timeout: 60_000 }, () => {
  it.live("can come in chunks", () =>
    Effect.gen(function* () {
      const parts = ['{"prompt":', '"a fox"', "}"].map(chunk)
      expect(statusOf(yield* sendRaw(head("Transfer-Encoding: chunked"), ...parts, "0\r\n\r\n"))).toBe(200)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live.each([
    { size: mebibyte, how: "length", status: 200 },
    { size: mebibyte + 1, how: "length", status: 413 },
    { size: mebibyte, how: "chunks", status: 200 },
    { size: mebibyte + 1, how: "chunks", status: 413 }
  ])("can have 1 MiB: $size by $how", ({ how, size, status }) =>
    Effect.gen(function* () {
      const text = paddedTo(size)
      const response =
        how === "length"
          ? yield* sendRaw(head(`Content-Length: ${String(size)}`), text)
          : yield* sendRaw(
              head("Transfer-Encoding: chunked"),
              chunk(text.slice(0, 600_000)),
              chunk(text.slice(600_000)),
              "0\r\n\r\n"
            )
      expect(statusOf(response)).toBe(status)
      if (status === 413) {
        expect(response).toContain('"message":"The body must not be larger than 1 MiB."')
        expect(response).toContain('"code":"request_too_large"')
      }
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("is refused at once if it is said to have more than 64 MiB", () =>
    Effect.gen(function* () {
      const response = yield* sendRaw(head(`Content-Length: ${String(64 * mebibyte + 1)}`), "{")
      expect(statusOf(response)).toBe(413)
      expect(yield* submissions).toBe(0)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live.each([
    { body: "[]", message: "The body must be a JSON object.", code: "invalid_json" },
    { body: "null", message: "The body must be a JSON object.", code: "invalid_json" },
    { body: "7", message: "The body must be a JSON object.", code: "invalid_json" },
    {
      body: "{",
      message: "The body must be JSON, with the content type application/json.",
      code: "invalid_json"
    },
    { body: '{"prompt":"a fox","n":9}', message: "n must be at most 8, not 9.", code: "invalid_request" },
    {
      body: '{"prompt":"a fox","size":"7"}',
      message: "size must be WIDTHxHEIGHT, such as 1024x1024, or auto.",
      code: "invalid_request"
    },
    {
      body: '{"prompt":"a fox","size":"1024x"}',
      message: "size must be WIDTHxHEIGHT, such as 1024x1024, or auto.",
      code: "invalid_request"
    }
  ])("is refused with a sentence: $body", ({ body, code, message }) =>
    Effect.gen(function* () {
      expect(bodyOf(yield* generate(body))["error"]).toMatchObject({ message, code, type: "invalid_request_error" })
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live.each([
    { fields: { model: "", size: "" }, ratio: "1:1" },
    { fields: { model: " DALL-E-3 ", size: " 1792 X 1024 " }, ratio: "16:9" },
    { fields: { size: "auto", aspect_ratio: "5:4" }, ratio: "5:4" }
  ])("can have $fields", ({ fields, ratio }) =>
    Effect.gen(function* () {
      const [event] = eventsOf(yield* generate({ prompt: "a fox", stream: true, progress: true, ...fields }))
      expect(event?.["request"]).toMatchObject({ model: "Flux", aspect_ratio: ratio, seed: any(Number) })
    }).pipe(Effect.provide(openAiServer()))
  )
})
