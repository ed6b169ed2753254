import { HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { expect } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted, Schema } from "effect"
import { ArtaServer } from "effect-arta/server"
import { ArtaEmulator } from "effect-arta/testing"
import { createServer } from "node:http"
import { smallImage } from "./withEmulator.js"

export const key = "sk-arta-of-the-tests"

// A test may keep a connection open on a busy machine.
const makeServer = () => createServer({ keepAliveTimeout: 60_000 })

const silent = Logger.remove(Logger.defaultLogger)

/** A server on a port of this machine, over an emulator in memory that counts its requests. */
export const openAiServer = (
  emulator: ArtaEmulator.Options = {},
  options: ArtaServer.Options = {},
  logging: Layer.Layer<never> = silent
) =>
  ArtaServer.layer({ key: Redacted.make(key), ...options }).pipe(
    Layer.provideMerge(NodeHttpServer.layerServer(makeServer, { host: "127.0.0.1", port: 0 })),
    Layer.provideMerge(
      ArtaEmulator.layerArta({ imageSize: smallImage, queueTime: "20 millis", drawTime: "20 millis", ...emulator })
    ),
    Layer.provide(logging)
  )

export const origin = HttpServer.addressFormattedWith((url) => Effect.succeed(url))

/** The number of submissions that the emulator received. */
export const submissions = Effect.flatMap(ArtaEmulator.ArtaEmulator, ({ counts }) =>
  Effect.map(counts, ({ submit }) => submit)
)

/** Waits until the emulator has received so many submissions. */
export const awaitSubmissions = (count: number) =>
  Effect.repeat(Effect.zipRight(Effect.yieldNow(), Effect.delay(submissions, "5 millis")), {
    until: (sent) => sent >= count
  })

const Body = Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown }))

export interface Response {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export const bodyOf = ({ text }: Response) => Schema.decodeSync(Body)(text)

interface Init extends Omit<RequestInit, "headers"> {
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends a request with the key of the server. */
export const send = (path: string, init: Init = {}) =>
  Effect.flatMap(origin, (url) =>
    Effect.promise(async (signal): Promise<Response> => {
      const response = await fetch(url + path, {
        signal,
        ...init,
        headers: { authorization: `Bearer ${key}`, ...init.headers }
      })
      return { status: response.status, headers: response.headers, text: await response.text() }
    })
  )

export const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  send(path, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers }
  })

export const generate = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  post("/v1/images/generations", body, headers)

/** The data of the events of a stream, without comments. */
export const eventsOf = ({ text }: Response) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("data: ") && line !== "data: [DONE]")
    .map((line) => Schema.decodeSync(Body)(line.slice(6)))

// Vitest's matchers are of type any.
export const any = (type: unknown): unknown => expect.any(type)
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)
export const containing = (text: string): unknown => expect.stringContaining(text)
export const withFields = (fields: object): unknown => expect.objectContaining(fields)
