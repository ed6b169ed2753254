import type { ServeError } from "@effect/platform/HttpServerError"
import type * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import { createServer } from "node:http"
import { SetupError } from "../../shared/errors.js"

interface Address {
  readonly host: string
  readonly port: number
}

const explain = ({ host, port }: Address, { cause }: ServeError): string => {
  const code = Predicate.hasProperty(cause, "code") ? cause.code : undefined
  switch (code) {
    case "EADDRINUSE":
      return `Another program uses port ${String(port)}. Stop it, or choose another --port. 0 takes a free one.`
    case "EACCES":
      return `You may not serve on port ${String(port)}. Choose a --port from 1024.`
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAFNOSUPPORT":
    case "EINVAL":
      return `This machine has no address ${JSON.stringify(host)}. Use --host 127.0.0.1, or 0.0.0.0 for all its addresses.`
    default:
      return `Cannot serve on ${host}, port ${String(port)}: ${cause instanceof Error ? cause.message : String(cause)}.`
  }
}

// A client that still reads or writes after the responses were sent must not keep the command from ending.
const connectionGrace = "3 seconds"

/** An HTTP server that ends in bounded time. */
export const listen = (address: Address): Layer.Layer<HttpServer.HttpServer, SetupError> =>
  Layer.suspend(() => {
    // A client may reuse a connection at the moment that a server with the default of five seconds closes it.
    const server = createServer({ keepAliveTimeout: 65_000 })
    const closeConnections = Effect.sync(() => {
      server.closeAllConnections()
    })
    return Layer.scopedDiscard(
      Effect.addFinalizer(() => Effect.forkDaemon(Effect.delay(closeConnections, connectionGrace)))
    ).pipe(
      Layer.provideMerge(
        NodeHttpServer.layerServer(() => server, { host: address.host.replace(/[[\]]/g, ""), port: address.port })
      )
    )
  }).pipe(Layer.mapError((error) => new SetupError({ message: explain(address, error) })))
