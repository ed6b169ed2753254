import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as Headers from "@effect/platform/Headers"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Path from "@effect/platform/Path"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import type { Failure } from "../../shared/errors.js"
import { SetupError } from "../../shared/errors.js"
import type { LiveContents } from "./liveContents.js"
import * as Live from "./liveContents.js"
import { pageOf } from "./page.js"
import { template } from "./template.js"

const mediaTypes: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".webp": "image/webp"
}

const notFound = HttpServerResponse.text("Not found.", { status: 404 })

/** Serves an image of the gallery, and no other file: the name must be one that the gallery shows. */
const serveImage = (directory: string, live: LiveContents) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { file = "" } = yield* HttpRouter.params
    const image = yield* live.image(file)
    if (Option.isNone(image)) return notFound
    // A symbolic link may lead out of the directory.
    const location = yield* fs.realPath(path.join(directory, file))
    if (path.dirname(location) !== (yield* fs.realPath(directory))) return notFound
    const etag = `"${String(image.value.date)}-${String(image.value.bytes)}"`
    const headers = { etag, "cache-control": "no-cache" }
    const { headers: sent } = yield* HttpServerRequest.HttpServerRequest
    if (sent["if-none-match"] === etag) return HttpServerResponse.empty({ status: 304, headers })
    return HttpServerResponse.stream(fs.stream(location), {
      headers,
      contentType: mediaTypes[path.extname(file).toLowerCase()] ?? "application/octet-stream"
    })
  }).pipe(Effect.catchTag("SystemError", () => Effect.succeed(notFound)))

const servePage = (live: LiveContents) =>
  Effect.map(Effect.all([live.contents, live.version]), ([contents, version]) =>
    HttpServerResponse.html(pageOf(template, contents, version)).pipe(
      HttpServerResponse.setHeader("cache-control", "no-store")
    )
  )

const serveChanges = (live: LiveContents) =>
  Effect.gen(function* () {
    const { since } = yield* HttpServerRequest.schemaSearchParams(Schema.Struct({ since: Schema.String }))
    const changes = yield* live.since(since)
    if (Option.isNone(changes)) return HttpServerResponse.empty({ status: 410 })
    return changes.value.requests.length === 0
      ? HttpServerResponse.empty({ status: 204 })
      : HttpServerResponse.unsafeJson(changes.value, { headers: { "cache-control": "no-store" } })
  }).pipe(Effect.catchTag("ParseError", () => Effect.succeed(HttpServerResponse.empty({ status: 400 }))))

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

const serverLayer = (port: number) => NodeHttpServer.layer(createServer, { host: "127.0.0.1", port })

/** A port that stays the same for a directory, because the browser keeps the marks by address. */
const usualPort = (id: string): number => 49_152 + (Number.parseInt(id.slice(0, 8), 16) % 16_384)

const listen = (port: number, id: string) =>
  (port === 0 ? Layer.orElse(serverLayer(usualPort(id)), () => serverLayer(0)) : serverLayer(port)).pipe(
    Layer.mapError(
      ({ cause }) =>
        new SetupError({
          message: `Cannot serve on port ${String(port)}: ${cause instanceof Error ? cause.message : String(cause)}. Try another --port.`
        })
    )
  )

/** Serves the gallery of a directory until it is interrupted, and follows the directory. Writes nothing. */
export const serveGallery = (
  directory: string,
  port: number
): Effect.Effect<never, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const live = yield* Live.make(directory)
    const { id } = yield* live.contents
    const router = HttpRouter.empty.pipe(
      HttpRouter.get("/", servePage(live)),
      HttpRouter.get("/index.html", servePage(live)),
      HttpRouter.get("/changes", serveChanges(live)),
      HttpRouter.get("/:file", serveImage(directory, live)),
      Effect.catchTag("RouteNotFound", () => Effect.succeed(notFound))
    )
    return yield* Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      if (address._tag === "UnixAddress") return yield* Effect.dieMessage("A server on a port has a port.")
      yield* HttpServer.serveEffect(checkHost(address.port)(router))
      yield* Console.log(`http://127.0.0.1:${String(address.port)}/`)
      yield* Console.error("Serving until you press Ctrl-C. The page follows the directory.")
      return yield* Effect.never
    }).pipe(Effect.provide(listen(port, id)))
  }).pipe(Effect.scoped)
