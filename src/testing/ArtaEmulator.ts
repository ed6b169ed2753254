/**
 * Emulates the services that the library talks to, for tests: sign-up, refresh, submit, status, and images, including
 * their error responses.
 *
 * `layer` runs the emulator in memory, as an `HttpClient`. It opens no sockets, and under `TestClock` a generation of
 * several minutes takes no real time. `layerServer` serves it on a port, for other programs. The emulator counts its
 * requests and fails on demand.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { ArtaEmulator } from "effect-arta/testing"
 * import { Effect } from "effect"
 *
 * export const program = Effect.gen(function* () {
 *   yield* Arta.run({ prompt: "a lighthouse", n: 2 })
 *   const emulator = yield* ArtaEmulator.ArtaEmulator
 *   return (yield* emulator.counts).submit // 1
 * }).pipe(Effect.provide(ArtaEmulator.layerArta({ queueTime: "3 seconds", drawTime: "10 seconds" })))
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError } from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Arta from "../Arta.js"
import type { ArtaApi } from "../ArtaApi.js"
import type { Auth } from "../Auth.js"
import * as TokenStore from "../TokenStore.js"
import { generationRoutes } from "./emulator/generationRoutes.js"
import { identityRoutes } from "./emulator/identityRoutes.js"
import * as State from "./emulator/state.js"
import type { Fault, Operation } from "./Fault.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The accepted API keys. Default: every key. */
  readonly apiKeys?: ReadonlyArray<string> | undefined
  /** The lifetime of an id token. Default: 1 hour. */
  readonly tokenLife?: Duration.DurationInput | undefined
  /** Whether a refresh replaces the refresh token. Default: `false`. */
  readonly rotateRefreshTokens?: boolean | undefined
  /** How long a generation stays in the queue. Default: 1 second. */
  readonly queueTime?: Duration.DurationInput | undefined
  /** How long a generation stays in progress after the queue. Default: 2 seconds. */
  readonly drawTime?: Duration.DurationInput | undefined
  /** The long side of the images in pixels. Smaller images make tests faster. Default: 512. */
  readonly imageSize?: number | undefined
  /** The faults, in order. Default: none. */
  readonly faults?: ReadonlyArray<Fault> | undefined
  /** Whether an emulator on a port lets web pages of every origin use it. Default: `true`. */
  readonly cors?: boolean | undefined
}

/**
 * A request that the emulator received. `at` is its time in milliseconds since the Unix epoch.
 *
 * @since 0.1.0
 * @category models
 */
export interface SeenRequest {
  readonly operation: Operation
  readonly at: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** All requests so far, in order. */
  readonly requests: Effect.Effect<ReadonlyArray<SeenRequest>>
  /** The number of requests so far, by operation. */
  readonly counts: Effect.Effect<Readonly<Record<Operation, number>>>
  /** Appends a fault to the list of pending faults. */
  readonly inject: (fault: Fault) => Effect.Effect<void>
  /** Expires all id tokens issued so far, before their announced expiry. */
  readonly expireTokens: Effect.Effect<void>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class ArtaEmulator extends Context.Tag("effect-arta/testing/ArtaEmulator")<ArtaEmulator, Service>() {}

class ConnectionLost extends Data.TaggedError("ConnectionLost") {}

const respondWith = (fault: Extract<Fault, { readonly _tag: "Respond" }>) =>
  (typeof fault.body === "string"
    ? HttpServerResponse.html(fault.body)
    : HttpServerResponse.unsafeJson(fault.body)
  ).pipe(HttpServerResponse.setStatus(fault.status), HttpServerResponse.setHeaders(fault.headers))

const makeApp = (state: State.State, options: Options) => {
  const identity = identityRoutes(state, {
    apiKeys: options.apiKeys,
    tokenLife: Duration.decode(options.tokenLife ?? "1 hour"),
    rotateRefreshTokens: options.rotateRefreshTokens ?? false
  })
  const generation = generationRoutes(state, {
    queueTime: Duration.decode(options.queueTime ?? "1 second"),
    drawTime: Duration.decode(options.drawTime ?? "2 seconds"),
    imageSize: options.imageSize
  })

  const handle = <E, R>(operation: Operation, handler: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    Effect.gen(function* () {
      state.requests.push({ operation, at: yield* Clock.currentTimeMillis })
      const fault = State.takeFault(state, operation)
      switch (fault?._tag) {
        case "Respond":
          return respondWith(fault)
        case "Hang":
          return yield* Effect.interruptible(Effect.never)
        case "Drop":
          return yield* Effect.zipRight(fault.handled ? handler : Effect.void, new ConnectionLost())
        default:
          return yield* handler
      }
    })

  return HttpRouter.empty.pipe(
    HttpRouter.post("/identitytoolkit/v3/relyingparty/signupNewUser", handle("signUp", identity.signUp)),
    // A colon starts a path parameter. Two colons stand for a literal colon.
    HttpRouter.post("/v1/accounts::signUp", handle("signUp", identity.signUp)),
    HttpRouter.post("/v1/token", handle("refresh", identity.refresh)),
    HttpRouter.post("/api/v1/text2image", handle("submit", generation.submit)),
    HttpRouter.get("/api/v1/text2image/:recordId/status", handle("status", generation.status)),
    HttpRouter.get("/images/:recordId/:file", handle("image", generation.image)),
    Effect.catchTag("RouteNotFound", () =>
      Effect.succeed(HttpServerResponse.unsafeJson({ detail: "Not Found" }, { status: 404 }))
    ),
    Effect.catchTag("RequestError", () => HttpServerResponse.empty({ status: 400 }))
  )
}

const makeService = (state: State.State): Service => ({
  requests: Effect.sync(() => [...state.requests]),
  counts: Effect.sync(() => {
    const counts = { signUp: 0, refresh: 0, submit: 0, status: 0, image: 0 }
    for (const { operation } of state.requests) counts[operation] += 1
    return counts
  }),
  inject: (fault) =>
    Effect.sync(() => {
      state.faults.push(fault)
    }),
  expireTokens: Effect.sync(() => {
    state.expiryByIdToken.clear()
  })
})

type App = HttpApp.Default<ConnectionLost>

const toServerRequest = (request: HttpClientRequest.HttpClientRequest, url: URL) =>
  HttpServerRequest.fromWeb(
    new Request(url, {
      method: request.method,
      headers: request.headers,
      body: request.body._tag === "Uint8Array" ? new Uint8Array(request.body.body) : null
    })
  ).modify({
    headers: Headers.setAll(request.headers, { host: url.host, "x-forwarded-proto": url.protocol.slice(0, -1) })
  })

const inMemory = (app: App): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    app.pipe(
      // The router adds the route to the current span, which in memory is the span of the caller.
      Effect.mapInputContext((context: Context.Context<Effect.Effect.Context<App>>) =>
        Context.omit(Tracer.ParentSpan)(context)
      ),
      Effect.provideService(HttpServerRequest.HttpServerRequest, toServerRequest(request, url)),
      Effect.scoped,
      Effect.map((response) => HttpClientResponse.fromWeb(request, HttpServerResponse.toWeb(response))),
      Effect.catchTag("ConnectionLost", (cause) => new RequestError({ request, reason: "Transport", cause }))
    )
  )

const onPort = (app: App): HttpApp.Default =>
  Effect.catchTag(app, "ConnectionLost", () =>
    HttpServerResponse.stream(Stream.empty, { contentLength: 1, headers: { connection: "close" } })
  )

// By default, the middleware allows every header that a page asks for, which `*` does not do for Authorization. A page
// can read only the headers that are exposed.
const cors = HttpMiddleware.cors({ exposedHeaders: ["date", "retry-after"] })

const makeWith = <A>(
  options: Options,
  mount: (app: App) => A
): readonly [emulator: Context.Context<ArtaEmulator>, mounted: A] => {
  const state = State.make(options.faults ?? [])
  return [Context.make(ArtaEmulator, makeService(state)), mount(makeApp(state, options))]
}

/**
 * Runs the emulator in memory, as the program's `HttpClient`. It ignores the host of a URL and matches the path.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<ArtaEmulator | HttpClient.HttpClient> =>
  Layer.effectContext(
    Effect.sync(() => {
      const [emulator, client] = makeWith(options, inMemory)
      return Context.add(emulator, HttpClient.HttpClient, client)
    })
  )

/**
 * Serves the emulator on the port of an `HttpServer`. `urls` returns its addresses.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServer = (options: Options = {}): Layer.Layer<ArtaEmulator, never, HttpServer.HttpServer> =>
  Layer.unwrapEffect(
    Effect.sync(() => {
      const [emulator, app] = makeWith(options, onPort)
      const served = options.cors === false ? app : cors(app)
      return Layer.merge(HttpServer.serve(served), Layer.succeedContext(emulator))
    })
  )

/**
 * The URLs of an emulator on a port, as options for `Arta.layer`.
 *
 * @since 0.1.0
 * @category layers
 */
export const urls: Effect.Effect<
  { readonly apiUrl: string; readonly signUpUrl: string; readonly tokenUrl: string },
  never,
  HttpServer.HttpServer
> = HttpServer.addressFormattedWith((origin) =>
  Effect.succeed({
    apiUrl: `${origin}/api/v1`,
    signUpUrl: `${origin}/identitytoolkit/v3/relyingparty/signupNewUser`,
    tokenUrl: `${origin}/v1/token`
  })
)

/**
 * Provides `ArtaApi`, `Auth`, an in-memory `TokenStore`, and the emulator: everything that a test of your program
 * needs.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerArta = (
  options: Options = {}
): Layer.Layer<ArtaApi | Auth | TokenStore.TokenStore | HttpClient.HttpClient | ArtaEmulator> =>
  Layer.orDie(Arta.layer({ apiKey: options.apiKeys?.[0] ?? "emulated" })).pipe(
    Layer.provideMerge(Layer.merge(TokenStore.layerMemory, layer(options)))
  )
