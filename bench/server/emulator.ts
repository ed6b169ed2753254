// The service, in a process of its own. Tells its addresses.
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Testing from "effect-arta/testing"
import { createServer } from "node:http"
import { pathToFileURL } from "node:url"

const [dist = ""] = process.argv.slice(2)
const { ArtaEmulator } = (await import(pathToFileURL(`${dist}/testing/index.js`).href)) as typeof Testing

const tellAddresses = Effect.map(ArtaEmulator.urls, (urls) => process.send?.(urls))

process.on("disconnect", () => process.exit())

await Effect.zipRight(tellAddresses, Effect.never).pipe(
  Effect.provide(
    ArtaEmulator.layerServer({ queueTime: 0, drawTime: 0, imageSize: 64 }).pipe(
      Layer.provideMerge(
        NodeHttpServer.layer(() => createServer({ keepAliveTimeout: 60_000 }), { port: 0, host: "127.0.0.1" })
      )
    )
  ),
  Effect.runPromise
)
