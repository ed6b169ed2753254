import { NodeHttpServer } from "@effect/platform-node"
import { Layer } from "effect"
import { ArtaEmulator } from "effect-arta/testing"
import { createServer } from "node:http"
import { smallImage } from "./withEmulator.js"

// The client may reuse a connection at the moment a default server closes it, after five seconds on a busy machine.
const makeServer = () => createServer({ keepAliveTimeout: 60_000 })

/** The emulator on a free port, for tests with real sockets. */
export const emulatorOnPort = (options: ArtaEmulator.Options = {}) =>
  ArtaEmulator.layerServer({ queueTime: "300 millis", drawTime: "300 millis", imageSize: smallImage, ...options }).pipe(
    Layer.provideMerge(NodeHttpServer.layer(makeServer, { port: 0, host: "127.0.0.1" }))
  )
