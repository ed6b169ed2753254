import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { htmlEscape } from "escape-goat"
import * as Effect from "effect/Effect"
import type { DurableBatch } from "effect-arta/batch"
import { createHash } from "node:crypto"
import type { SetupError } from "../../shared/errors.js"
import { serveLocally, usualPort } from "../../shared/localServer.js"
import * as Page from "../../shared/page/page.js"
import type { StatusError } from "./readStatus.js"
import { readStatus } from "./readStatus.js"
import type { StatusView } from "./statusView.js"
import { template } from "./template.js"

const noStore = HttpServerResponse.setHeader("cache-control", "no-store")

const pageOf = (view: StatusView, shown: string): string =>
  Page.fill(template, {
    policy: Page.policyOf(template, ["connect-src 'self'", "img-src data:"]),
    database: htmlEscape(shown),
    data: Page.dataElement(view)
  })

const unavailable = HttpServerResponse.text("The database does not respond.", { status: 503 })

/** Serves a page that shows the batches of a database until it is interrupted. `shown` names the database. */
export const serveStatus = (
  shown: string,
  batch: string | undefined,
  port: number
): Effect.Effect<never, SetupError | StatusError, DurableBatch.DurableBatch> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<DurableBatch.DurableBatch>()
    const read = Effect.provide(readStatus(batch), context)
    // Many pages read the database as often as one.
    const status = yield* Effect.cachedWithTTL(Effect.timeout(Effect.either(read), "10 seconds"), "1 second")
    const view = Effect.flatten(Effect.flatMap(status, Effect.succeed))
    // Fails now rather than on the page.
    yield* read
    const router = HttpRouter.empty.pipe(
      HttpRouter.get(
        "/",
        Effect.map(view, (view) => noStore(HttpServerResponse.html(pageOf(view, shown))))
      ),
      HttpRouter.get(
        "/status",
        Effect.map(view, (view) => noStore(HttpServerResponse.unsafeJson(view)))
      ),
      Effect.catchTag("RouteNotFound", () => Effect.succeed(HttpServerResponse.text("Not found.", { status: 404 }))),
      Effect.catchAll(() => Effect.succeed(unavailable))
    )
    const id = createHash("sha256").update(shown).digest("hex")
    return yield* serveLocally(router, { port, usualPort: usualPort(id), hint: "The page follows the batches." })
  })
