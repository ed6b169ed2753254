import { describe, expect, it } from "@effect/vitest"
import { Array, Effect, Fiber } from "effect"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { connect } from "node:net"
import {
  awaitSubmissions,
  bodyOf,
  generate,
  key,
  openAiServer,
  origin,
  post,
  send,
  submissions
} from "../support/openAiServer.js"

const retry = { "x-stainless-retry-count": "1" }

/** Sends a request, and leaves once the service has received its submission. */
const sendAndLeave = (body: unknown, count = 1) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(generate(body))
    yield* awaitSubmissions(count)
    yield* Fiber.interrupt(fiber)
  })

const listed = Effect.map(
  send("/v1/images/generations"),
  (response) => bodyOf(response)["data"] as ReadonlyArray<{ readonly id: string }>
)

/** Waits until the server knows that the service has accepted a generation. */
const awaitListed = Effect.repeat(Effect.delay(listed, "5 millis"), { until: (all) => all.length > 0 })

// The server learns of a connection that has closed before it reads a request that is sent later.
const awaitLeft = Effect.repeatN(send("/healthz"), 5)

describe.concurrent("A client that sends a request again", { timeout: 60_000 }, () => {
  // fault: Server | client that gives up and sends the request again | joins the running generation
  it.live("joins its generation that still runs", () =>
    Effect.gen(function* () {
      yield* sendAndLeave({ prompt: "a fox" })
      const response = yield* generate({ prompt: "a fox" }, retry)
      expect(response.status).toBe(200)
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer({ drawTime: "300 millis" })))
  )

  it.live("joins its generation that has ended meanwhile", () =>
    Effect.gen(function* () {
      const first = bodyOf(yield* generate({ prompt: "a fox" }))
      const second = bodyOf(yield* generate({ prompt: "a fox" }, retry))
      expect(second).toEqual(first)
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live.each([{}, { stream: true }, { stream: true, progress: true }])(
    "joins its generation once if it does not count its attempts (%j)",
    (fields) =>
      Effect.gen(function* () {
        const fox = { prompt: "a fox", ...fields }
        const first = yield* Effect.fork(generate(fox))
        yield* awaitListed
        yield* Fiber.interrupt(first)
        yield* awaitLeft
        const second = yield* generate(fox)
        expect(second.status).toBe(200)
        expect(yield* submissions).toBe(1)
        yield* generate(fox)
        expect(yield* submissions).toBe(2)
      }).pipe(Effect.provide(openAiServer({ drawTime: "2 seconds" })))
  )

  // fault: Server | client that sends a request again whose submission got no response | the same error, nothing is sent
  it.live("is told again that nobody knows about its submission", () =>
    Effect.gen(function* () {
      const first = yield* generate({ prompt: "a fox" })
      const second = yield* generate({ prompt: "a fox" }, retry)
      expect(first.status).toBe(424)
      expect(second.text).toBe(first.text)
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer({ faults: [Fault.drop("submit", { handled: true })] })))
  )

  it.live("joins the generation that has lost its client, of two equal ones", () =>
    Effect.gen(function* () {
      const stays = yield* Effect.fork(generate({ prompt: "a fox" }))
      yield* awaitSubmissions(1)
      yield* sendAndLeave({ prompt: "a fox" }, 2)
      const joined = bodyOf(yield* generate({ prompt: "a fox" }, retry))
      expect(joined["record_id"]).not.toBe(bodyOf(yield* Fiber.join(stays))["record_id"])
      expect(yield* submissions).toBe(2)
    }).pipe(Effect.provide(openAiServer({ drawTime: "1 second" })))
  )

  it.live("joins nothing with another body, another route or a first attempt", () =>
    Effect.gen(function* () {
      yield* generate({ prompt: "a fox" })
      yield* generate({ prompt: "a fox" })
      yield* generate({ prompt: "a hare" }, retry)
      yield* post("/v1/chat/completions", { prompt: "a fox", messages: [{ role: "user", content: "a fox" }] }, retry)
      expect(yield* submissions).toBe(4)
    }).pipe(Effect.provide(openAiServer({}, { chat: true })))
  )

  it.live("shares one generation by its Idempotency-Key", () =>
    Effect.gen(function* () {
      const responses = yield* Effect.all(
        Array.replicate(generate({ prompt: "a fox" }, { "idempotency-key": "fox-1" }), 20),
        { concurrency: "unbounded" }
      )
      expect(new Set(responses.map(({ text }) => text)).size).toBe(1)
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer()))
  )

  // fault: Server | client that leaves | the generation goes on, and its record id gets the images
  it.live("finds the generation that it has left by its record id", () =>
    Effect.gen(function* () {
      yield* sendAndLeave({ prompt: "a fox" })
      const [{ id } = { id: "none" }] = yield* awaitListed
      const events = yield* send(`/v1/images/generations/${id}?stream=true`)
      expect(events.text).toContain("image_generation.completed")
      expect(yield* submissions).toBe(1)
    }).pipe(Effect.provide(openAiServer({ drawTime: "200 millis" })))
  )
})

describe.concurrent("A server", { timeout: 60_000 }, () => {
  it.live("serves a hundred clients at once with one sign-up", () =>
    Effect.gen(function* () {
      const responses = yield* Effect.forEach(
        Array.range(1, 100),
        (index) => generate({ prompt: `fox ${String(index)}` }),
        { concurrency: "unbounded" }
      )
      expect(responses.filter(({ status }) => status === 200)).toHaveLength(100)
      const counts = yield* Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => emulator.counts)
      expect(counts).toMatchObject({ signUp: 1, submit: 100 })
    }).pipe(Effect.provide(openAiServer()))
  )

  it.live("refuses another host name, and HTTP without one", () =>
    Effect.gen(function* () {
      const { hostname, port } = new URL(yield* origin)
      const ask = (head: string) =>
        Effect.async<string>((resume) => {
          let text = ""
          const socket = connect(Number(port), hostname, () => socket.write(`${head}\r\n\r\n`))
          socket.on("data", (chunk) => (text += chunk.toString()))
          socket.on("close", () => {
            resume(Effect.succeed(text))
          })
        })
      const bearer = `Authorization: Bearer ${key}\r\nConnection: close`
      expect(yield* ask(`GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n${bearer}`)).toContain("403 Forbidden")
      expect(yield* ask(`GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n${bearer}`)).toContain("403")
      expect(yield* ask(`GET /v1/models HTTP/1.0\r\n${bearer}`)).toContain("403 Forbidden")
      expect(yield* ask(`GET /v1/models HTTP/1.1\r\nHost: localhost:${port}\r\n${bearer}`)).toContain("200 OK")
    }).pipe(Effect.provide(openAiServer()))
  )
})
