import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Failure } from "../../shared/errors.js"
import { serveLocally, usualPort } from "../../shared/localServer.js"
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
    return yield* serveLocally(router, {
      port,
      usualPort: usualPort(id),
      hint: "The page follows the directory."
    })
  }).pipe(Effect.scoped)
