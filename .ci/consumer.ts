// A program that uses every entry of the installed package, to type-check and to run on the emulator.
// It does not import the barrel of @effect/platform-node, which needs types that the package does not install.
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Layer, Stream } from "effect"
import { Arta, ArtaClient, type ArtaError, type Generation, ImageFile, type ImageModel } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator } from "effect-arta/testing"
import { createServer } from "node:http"
import { tmpdir } from "node:os"

const model: ImageModel.ImageModel = "flux-dev"

const events: Stream.Stream<Generation.GenerationEvent, ArtaError.ArtaError, never> = Arta.generate({
  prompt: "a lighthouse",
  model
}).pipe(Stream.provideSomeLayer(ArtaEmulator.layerArta({ queueTime: 0, drawTime: 0 })))

const onPort = Effect.gen(function* () {
  const options = { apiKey: "k", tokenFile: `${tmpdir()}/consumer/credentials.json`, ...(yield* ArtaEmulator.urls) }
  const path = yield* Arta.run({ messages: [{ role: "user", content: "a lighthouse" }], seed: 7 }).pipe(
    Effect.flatMap((generation) => ImageFile.save(generation, { directory: "images" })),
    Effect.flatMap(([saved]) => saved!.result),
    Effect.provide(NodeArta.layer(options))
  )
  const generation = yield* Effect.promise(async () => {
    await using client: ArtaClient.ArtaClient = NodeArta.client(options)
    return await client.run({ prompt: "a lighthouse" })
  })
  yield* Console.log(path, generation.images.length)
})

Stream.runForEach(events, (event) => Console.log(event._tag)).pipe(
  Effect.zipRight(onPort),
  Effect.provide(
    ArtaEmulator.layerServer({ queueTime: 0, drawTime: 0 }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
      Layer.merge(NodeContext.layer)
    )
  ),
  NodeRuntime.runMain
)
