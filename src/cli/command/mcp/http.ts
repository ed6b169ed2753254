import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { McpServer } from "@modelcontextprotocol/server"
import {
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  validateHostHeader,
  validateOriginHeader
} from "@modelcontextprotocol/server"
import { createServer } from "node:http"
import { SetupError } from "../../shared/errors.js"
import { makeHandler } from "./sessions.js"

const path = "/mcp"

/** Refuses web pages of other hosts, and names that somebody made resolve to this machine: they could spend money. */
const forThisMachine = <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, R> =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers: { host, origin } }) =>
    validateHostHeader(host, localhostAllowedHostnames()).ok &&
    validateOriginHeader(origin, localhostAllowedOrigins()).ok
      ? app
      : Effect.succeed(HttpServerResponse.text("This server is for this machine only.", { status: 403 }))
  )

const serverLayer = (port: number) =>
  NodeHttpServer.layer(createServer, { host: "127.0.0.1", port }).pipe(
    Layer.mapError(
      ({ cause }) =>
        new SetupError({
          message: `Cannot serve on port ${String(port)}: ${cause instanceof Error ? cause.message : String(cause)}. Try another --http port.`
        })
    )
  )

/** Serves any number of clients on a port of this machine, until it is interrupted. */
export const serveOverHttp = (make: () => McpServer, port: number): Effect.Effect<never, SetupError> =>
  Effect.gen(function* () {
    const handler = yield* Effect.acquireRelease(
      Effect.sync(() => makeHandler(make)),
      ({ close }) => Effect.promise(close)
    )
    const app = HttpRouter.empty.pipe(
      HttpRouter.all(path, HttpApp.fromWebHandler(handler.handle)),
      Effect.catchTag("RouteNotFound", () =>
        Effect.succeed(HttpServerResponse.text(`Not found. The MCP endpoint is ${path}.`, { status: 404 }))
      ),
      Effect.catchTag("RequestError", () => HttpServerResponse.empty({ status: 400 }))
    )
    yield* HttpServer.serveEffect(forThisMachine(app))
    yield* HttpServer.addressFormattedWith((origin) => Console.log(`${origin}${path}`))
    yield* Console.error("Serving until you press Ctrl-C.")
    return yield* Effect.never
  }).pipe(Effect.scoped, Effect.provide(serverLayer(port)))
