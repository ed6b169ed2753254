import type * as HttpApp from "@effect/platform/HttpApp"
import type * as HttpPlatform from "@effect/platform/HttpPlatform"
import * as Headers from "@effect/platform/Headers"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import { SetupError } from "./errors.js"

/** What stops other sites from reading or showing the images. */
const securityHeaders = Headers.fromInput({
  "content-security-policy": "frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
})

/** Refuses requests for another host: a site whose name resolves to this machine could read the images otherwise. */
const checkHost =
  (port: number) =>
  <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, R> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers: { host = "" } }) =>
      /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(host) && Number(host.split(":")[1] ?? 80) === port
        ? Effect.map(app, HttpServerResponse.setHeaders(securityHeaders))
        : Effect.succeed(HttpServerResponse.text("This server is for this machine only.", { status: 403 }))
    )

/** A port that stays the same for an id of hexadecimal digits, because the browser keeps what it stores by address. */
export const usualPort = (id: string): number => 49_152 + (Number.parseInt(id.slice(0, 8), 16) % 16_384)

const serverLayer = (port: number) => NodeHttpServer.layer(createServer, { host: "127.0.0.1", port })

const listen = ({ port, usualPort }: Options) =>
  (port === 0 ? Layer.orElse(serverLayer(usualPort), () => serverLayer(0)) : serverLayer(port)).pipe(
    Layer.mapError(
      ({ cause }) =>
        new SetupError({
          message: `Cannot serve on port ${String(port)}: ${cause instanceof Error ? cause.message : String(cause)}. Try another --port.`
        })
    )
  )

export interface Options {
  /** The port of `--port`. 0: `usualPort` if it is free, otherwise any other. */
  readonly port: number
  readonly usualPort: number
  /** What to print besides how to stop. */
  readonly hint: string
}

/** Serves pages to this machine until it is interrupted, and prints their URL. */
export const serveLocally = (
  app: HttpApp.Default<unknown, NodeContext.NodeContext | HttpPlatform.HttpPlatform | Scope.Scope>,
  options: Options
): Effect.Effect<never, SetupError> =>
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    if (address._tag === "UnixAddress") return yield* Effect.dieMessage("A server on a port has a port.")
    yield* HttpServer.serveEffect(checkHost(address.port)(app))
    yield* Console.log(`http://127.0.0.1:${String(address.port)}/`)
    yield* Console.error(`Serving until you press Ctrl-C. ${options.hint}`)
    return yield* Effect.never
  }).pipe(Effect.scoped, Effect.provide(listen(options)))
