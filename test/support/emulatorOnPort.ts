import { NodeHttpServer } from "@effect/platform-node"
import { Layer } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { createServer } from "node:http"

/** The emulator on a port of its own, to be reached through real sockets. */
export const emulatorOnPort = (options: ArtaEmulator.Options = {}) =>
  ArtaEmulator.layerServer({ queueTime: "300 millis", drawTime: "300 millis", ...options }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
  )
