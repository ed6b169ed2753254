import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Layer, Logger, Redacted } from "effect"
import { ArtaServer } from "effect-arta/server"
import { ArtaEmulator } from "effect-arta/testing"
import { HttpServer } from "@effect/platform"
import { createServer } from "node:http"

export const serverKey = "sk-arta-of-the-tests"

/** A server with its page on a free port, on an emulator in memory. */
export const serverWithPage = (
  emulator: ArtaEmulator.Options = {},
  options: ArtaServer.Options = { key: Redacted.make(serverKey), ui: true }
) =>
  ArtaServer.layer(options).pipe(
    Layer.provideMerge(
      NodeHttpServer.layer(() => createServer({ keepAliveTimeout: 60_000 }), { port: 0, host: "127.0.0.1" })
    ),
    Layer.provideMerge(ArtaEmulator.layerArta(emulator)),
    Layer.provide(Logger.remove(Logger.defaultLogger))
  )

export const originOfServer = HttpServer.addressFormattedWith(Effect.succeed)
