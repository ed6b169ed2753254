// npx tsx examples/serve.ts
//
// Serves OpenAI's API for images on the emulator, and requests an image as a client of OpenAI does. To use the real
// service, replace `ArtaEmulator.layerArta()` with `NodeArta.layerConfig()`.
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpServer } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer, Redacted } from "effect"
import { ArtaServer } from "effect-arta/server"
import { ArtaEmulator } from "effect-arta/testing"
import { createServer } from "node:http"

const key = Redacted.make("a-key-for-this-example")

const serverLayer = ArtaServer.layer({ key }).pipe(
  Layer.provideMerge(NodeHttpServer.layerServer(createServer, { host: "127.0.0.1", port: 0 })),
  Layer.provide(ArtaEmulator.layerArta())
)

const program = Effect.gen(function* () {
  const baseUrl = yield* HttpServer.addressFormattedWith((origin) => Effect.succeed(`${origin}/v1`))
  const response = yield* HttpClientRequest.post(`${baseUrl}/images/generations`).pipe(
    HttpClientRequest.bearerToken(key),
    HttpClientRequest.bodyUnsafeJson({ model: "dall-e-3", prompt: "a lighthouse at dawn", size: "1792x1024", seed: 7 }),
    HttpClient.execute
  )
  yield* Console.log(response.status, (yield* response.text).slice(0, 60))
})

program.pipe(Effect.provide(Layer.merge(serverLayer, FetchHttpClient.layer)), NodeRuntime.runMain)
