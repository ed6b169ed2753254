import { HttpClient, HttpClientRequest, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import type { Duration } from "effect"
import { Context, Deferred, Effect, HashMap, Layer, Option, Ref } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { createServer } from "node:http"
import { smallImage } from "./withEmulator.js"

/**
 * A moment of a request at which the upstream can hold it: a submission arrived, a submission was accepted and is not
 * answered yet, a status or an image was asked for.
 */
export type Moment = "arrived" | "accepted" | "status" | "image"

interface Held {
  /** Waits until a request is held. */
  readonly reached: Effect.Effect<void>
  /** Lets the held request, and all later ones, go on. */
  readonly release: Effect.Effect<void>
}

export interface Service {
  /** What a program needs to use this upstream instead of the real services. */
  readonly environment: Readonly<Record<string, string>>
  /** How often each prompt was submitted, without the submissions that the upstream refused. */
  readonly submissions: Effect.Effect<HashMap.HashMap<string, number>>
  /** Holds every request from the one with this number on (default: 1) at a moment, until it is released. */
  readonly hold: (moment: Moment, from?: number) => Effect.Effect<Held>
  readonly emulator: ArtaEmulator.Service
}

/** The emulator on a port, which counts the submissions of each prompt. */
export class CountingUpstream extends Context.Tag("effect-arta/test/CountingUpstream")<CountingUpstream, Service>() {}

interface Hold {
  readonly moment: Moment
  readonly left: Ref.Ref<number>
  readonly reached: Deferred.Deferred<undefined>
  readonly released: Deferred.Deferred<undefined>
}

export interface Options extends ArtaEmulator.Options {
  /** How long the upstream takes to answer a submission that it has accepted. Default: no time. */
  readonly submitTime?: Duration.DurationInput
}

const make = ({ submitTime = 0 }: Options) =>
  Effect.gen(function* () {
    const emulator = yield* ArtaEmulator.ArtaEmulator
    const client = yield* HttpClient.HttpClient
    const { apiUrl, signUpUrl, tokenUrl } = yield* ArtaEmulator.urls
    const origin = new URL(apiUrl).origin
    const submissions = yield* Ref.make(HashMap.empty<string, number>())
    const holds = yield* Ref.make<ReadonlyArray<Hold>>([])

    const count = (prompt: string, by: 1 | -1) =>
      Ref.update(
        submissions,
        HashMap.modifyAt(prompt, (before) => Option.some(Option.getOrElse(before, () => 0) + by))
      )

    const passHold = ({ left, reached, released }: Hold) =>
      Effect.gen(function* () {
        if ((yield* Ref.updateAndGet(left, (n) => n - 1)) > 0) return
        yield* Deferred.succeed(reached, undefined)
        yield* Deferred.await(released)
      })

    const pass = (moment: Moment) =>
      Effect.flatMap(Ref.get(holds), (all) =>
        Effect.forEach(
          all.filter((hold) => hold.moment === moment),
          passHold,
          { discard: true }
        )
      )

    const forward = (request: HttpServerRequest.HttpServerRequest, body: string) =>
      HttpClientRequest.make(request.method as "GET" | "POST")(`${origin}${request.url}`).pipe(
        HttpClientRequest.setHeaders(request.headers),
        body === ""
          ? (unchanged) => unchanged
          : HttpClientRequest.bodyText(body, request.headers["content-type"] ?? "text/plain"),
        client.execute,
        Effect.flatMap((response) =>
          Effect.map(response.arrayBuffer, (bytes) =>
            HttpServerResponse.uint8Array(new Uint8Array(bytes), {
              status: response.status,
              headers: response.headers
            })
          )
        )
      )

    const submit = (request: HttpServerRequest.HttpServerRequest, body: string) =>
      Effect.gen(function* () {
        const prompt = new URLSearchParams(body).get("prompt") ?? ""
        yield* count(prompt, 1)
        yield* pass("arrived")
        const response = yield* forward(request, body)
        if (response.status >= 400) yield* count(prompt, -1)
        yield* pass("accepted")
        yield* Effect.sleep(submitTime)
        return response
      })

    const app = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const body = request.method === "POST" ? yield* request.text : ""
      if (request.url.endsWith("/text2image")) return yield* submit(request, body)
      if (request.url.endsWith("/status")) yield* pass("status")
      if (request.url.startsWith("/images/")) yield* pass("image")
      return yield* forward(request, body)
    })

    yield* HttpServer.serveEffect(app)
    return CountingUpstream.of({
      emulator,
      environment: {
        ARTA_API_KEY: "k",
        ARTA_API_URL: apiUrl,
        ARTA_SIGN_UP_URL: signUpUrl,
        ARTA_TOKEN_URL: tokenUrl
      },
      submissions: Ref.get(submissions),
      hold: (moment, from = 1) =>
        Effect.gen(function* () {
          const left = yield* Ref.make(from)
          const reached = yield* Deferred.make<undefined>()
          const released = yield* Deferred.make<undefined>()
          yield* Ref.update(holds, (all) => [...all, { moment, left, reached, released }])
          return {
            reached: Effect.asVoid(Deferred.await(reached)),
            release: Effect.asVoid(Deferred.succeed(released, undefined))
          }
        })
    })
  })

const makeServer = () => createServer({ keepAliveTimeout: 60_000 })

export const layer = (options: Options = {}): Layer.Layer<CountingUpstream> =>
  Layer.scoped(CountingUpstream, make(options)).pipe(
    Layer.provide(
      ArtaEmulator.layer({ queueTime: "50 millis", drawTime: "50 millis", imageSize: smallImage, ...options })
    ),
    Layer.provide(NodeHttpServer.layer(makeServer, { port: 0, host: "127.0.0.1" })),
    Layer.orDie
  )
