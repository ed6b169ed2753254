// Generates an image on an emulator with NodeArta, or with `fetch` if that is the argument.
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { Arta, TokenStore } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator } from "effect-arta/testing"
import { createServer } from "node:http"

const emulator = ArtaEmulator.layerServer({ queueTime: 0, drawTime: 0 }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
  Layer.merge(NodeContext.layer)
)

const program = Effect.gen(function* () {
  const options = { apiKey: "k", ...(yield* ArtaEmulator.urls) }
  const layer =
    process.argv[2] === "fetch"
      ? Arta.layer(options).pipe(Layer.provide([FetchHttpClient.layer, TokenStore.layerMemory]))
      : NodeArta.layer({ ...options, tokenFile: `${process.cwd()}/credentials.json` })
  const { images } = yield* Effect.provide(Arta.run({ prompt: "a lighthouse" }), layer)
  return `${images.length} image`
})

const outcome = await program.pipe(
  Effect.catchAll((error) => Effect.succeed(error.message)),
  Effect.provide(emulator),
  Effect.runPromise
)
console.log(outcome)
