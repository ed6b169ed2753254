/**
 * An OpenAI-compatible server for images: programs written for OpenAI generate images with ARTA once they have its
 * address.
 *
 * No client pays twice. A generation runs in the scope of the server, so it goes on if its client leaves. An attempt
 * that OpenAI's clients send after a timeout, with `x-stainless-retry-count`, joins the generation of the first one,
 * and so does every request that equals one whose client has left without its response. An error that can follow an
 * accepted submission has a status that no client resends on, and contains the record id.
 *
 * | Route | |
 * | --- | --- |
 * | `POST /v1/images/generations` | Generates images, as OpenAI does. |
 * | `GET /v1/images/generations/{record_id}` | The status of a generation, and its images once it has completed. |
 * | `GET /v1/images/generations` | Lists the generations that this server submitted lately. |
 * | `GET /v1/models`, `GET /v1/models/{model}` | The models. |
 * | `POST /v1/chat/completions` | Generates an image from a chat, if `chat` is on. |
 * | `GET /` | A web page that generates images, if `ui` is on. |
 * | `GET /healthz`, `GET /openapi.json` | Whether the server runs, and its description. They need no key. |
 *
 * Beside OpenAI's fields, a request for images may have `negative_prompt`, `steps`, `guidance_scale`, `aspect_ratio`
 * and `seed`. The response has `record_id`, `model` and `seed`, and `missing` and `warnings` if images did not come.
 *
 * With `stream: true`, the response is a stream of events: an `image_generation.completed` for each image, or one
 * `error`. With `progress: true` too, `arta.progress` events come before them, the first one as soon as the service has
 * accepted the generation. OpenAI's clients hand events of unknown types to their program, so they come only on demand:
 *
 * ```text
 * event: arta.progress
 * data: {"type":"arta.progress","record_id":"0190a7e4","status":"queued","elapsed_seconds":0,"request":{…}}
 * ```
 *
 * `status` is `queued` or `in_progress`. `request` has `prompt`, `model`, `n`, `negative_prompt`, `steps`,
 * `guidance_scale`, `aspect_ratio` and `seed`: sent again, it generates the same images.
 *
 * A client that has lost its connection continues with `GET /v1/images/generations/{record_id}`. It returns
 * `{ id, object: "image.generation", record_id, status, created?, request? }`, with `data: [{ b64_json }]` once
 * `status` is `completed`, and with `error` if it is `failed`. With `?stream=true`, it returns the same events as a
 * request with `progress: true`. It works for every generation of the account. `created` and `request` are absent
 * unless this server submitted the generation.
 *
 * Requests with the same `Idempotency-Key` and the same body share one generation, so a client that has lost its
 * connection before it knew the record id sends the same request again.
 *
 * @example
 * ```ts
 * import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
 * import { Config, Effect, Layer } from "effect"
 * import { NodeArta } from "effect-arta/node"
 * import { ArtaServer } from "effect-arta/server"
 * import { createServer } from "node:http"
 *
 * const server = Layer.unwrapEffect(
 *   Effect.map(Config.redacted("MY_SERVER_KEY"), (key) => ArtaServer.layer({ key }))
 * ).pipe(
 *   Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: 8787 })),
 *   Layer.provide(NodeArta.layerConfig())
 * )
 *
 * export const start = () => NodeRuntime.runMain(Layer.launch(server))
 * ```
 *
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import { ArtaApi } from "../ArtaApi.js"
import { accessLog } from "./internal/accessLog.js"
import type { ApiError } from "./internal/apiError.js"
import { badRequest, toResponse } from "./internal/apiError.js"
import { completeChat, refuseChat } from "./internal/chatRoutes.js"
import * as Generations from "./internal/generations.js"
import { checkKey, guard } from "./internal/guard.js"
import { createImages, refuseEdits } from "./internal/imageRoutes.js"
import { getModel, listModels } from "./internal/modelRoutes.js"
import { openApi } from "./internal/openApi.js"
import { pageRoute } from "./internal/pageRoute.js"
import { getGeneration, listGenerations } from "./internal/recordRoutes.js"
import { ServerScope } from "./internal/serverScope.js"
import { withoutUnseenSpans } from "./internal/spans.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface RouterOptions {
  /** The key that clients send as `Authorization: Bearer KEY`. Default: none is required. */
  readonly key?: Redacted.Redacted | undefined
  /**
   * How long a generation may take before its client gets an error. Default: 270 seconds, because many clients give up
   * after 300.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /** Whether a chat completion generates an image, which it links as Markdown. Default: `false`. */
  readonly chat?: boolean | undefined
  /**
   * Whether `GET /` is a web page that generates images. It has no key in it: its user pastes the key, or opens the
   * page as `/#key=KEY`. Default: `false`.
   */
  readonly ui?: boolean | undefined
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options extends RouterOptions {
  /** The origins whose pages may use the server, such as `https://chat.example.com`, or `"*"`. Default: none. */
  readonly cors?: "*" | ReadonlyArray<string> | undefined
}

const unexpected = badRequest(
  "An unexpected error occurred: look into the log of the server.",
  undefined,
  424,
  "unexpected"
)

/** Responds to every failure in OpenAI's form. A status of 5xx could make a client pay twice. */
const withErrorResponses = <E extends ApiError, R>(route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  route.pipe(
    Effect.catchAll((error) => Effect.succeed(toResponse(error))),
    Effect.catchAllDefect((defect) =>
      Effect.as(Effect.logError("A request ended with an unexpected error.", defect), toResponse(unexpected))
    )
  )

const health = HttpServerResponse.unsafeJson({ status: "ok" })

/**
 * The routes, for a server of your own. Generations run in the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const router = ({ chat = false, key, timeout = "270 seconds", ui = false }: RouterOptions = {}): Effect.Effect<
  HttpRouter.HttpRouter,
  never,
  ArtaApi | HttpClient.HttpClient | Scope.Scope
> =>
  Effect.gen(function* () {
    // Without the `Scope` of the server, which would shadow that of a request.
    const services = Context.make(ArtaApi, yield* ArtaApi).pipe(
      Context.add(HttpClient.HttpClient, yield* HttpClient.HttpClient),
      Context.add(ServerScope, yield* Effect.scope)
    )
    const deadline = Duration.decode(timeout)
    const generations = yield* Generations.make(deadline)
    const checked = checkKey(key)
    const route = <R>(
      handler: Effect.Effect<
        HttpServerResponse.HttpServerResponse,
        ApiError,
        R | ArtaApi | HttpClient.HttpClient | ServerScope
      >
    ) => withErrorResponses(Effect.zipRight(checked, Effect.provide(handler, services)))

    return (ui ? HttpRouter.get(HttpRouter.empty, "/", pageRoute) : HttpRouter.empty).pipe(
      HttpRouter.get("/healthz", health),
      HttpRouter.get("/openapi.json", HttpServerResponse.unsafeJson(openApi({ chat, hasKey: key !== undefined }))),
      HttpRouter.post("/v1/images/generations", route(createImages(generations, deadline))),
      HttpRouter.get("/v1/images/generations", route(listGenerations(generations))),
      HttpRouter.get("/v1/images/generations/:record_id", route(getGeneration(generations, deadline))),
      HttpRouter.post("/v1/images/edits", route(refuseEdits)),
      HttpRouter.post("/v1/images/variations", route(refuseEdits)),
      HttpRouter.post("/v1/chat/completions", route(chat ? completeChat(generations) : refuseChat)),
      HttpRouter.get("/v1/models", route(listModels)),
      HttpRouter.get("/v1/models/:model", route(getModel))
    )
  })

const unknownRoute = Effect.map(HttpServerRequest.HttpServerRequest, ({ method, url }) => {
  const hint = url.startsWith("/v1") ? "" : " The base URL of a client must end with /v1."
  return toResponse(
    badRequest(`There is no such route: ${method}.${hint} See /openapi.json.`, undefined, 404, "unknown_url")
  )
})

/** A server ends once its connections do, and a client would keep this one. */
const closing = HttpServerResponse.setHeader("connection", "close")

const isLoopback = (hostname: string): boolean => /^(127\.|::1$|::ffff:127\.)/.test(hostname)

/**
 * Serves the routes on the program's `HttpServer`. Refuses a request with 403 if its `Origin` is another one, unless
 * `cors` allows it, and, on a loopback address, if its `Host` is not a name of this machine.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<never, never, ArtaApi | HttpClient.HttpClient | HttpServer.HttpServer> =>
  Effect.gen(function* () {
    const routes = yield* router(options)
    const { address } = yield* HttpServer.HttpServer
    const isStopping = yield* Ref.make(false)
    yield* Effect.addFinalizer(() => Ref.set(isStopping, true))
    const isLocal = address._tag === "TcpAddress" && isLoopback(address.hostname)
    return routes.pipe(
      Effect.catchTag("RouteNotFound", () => unknownRoute),
      guard({ isLocal, cors: options.cors ?? [] }),
      Effect.flatMap((response) =>
        Effect.map(Ref.get(isStopping), (stopping) => (stopping ? closing(response) : response))
      ),
      accessLog,
      HttpServer.serve(),
      withoutUnseenSpans
    )
  }).pipe(Layer.unwrapScoped)
