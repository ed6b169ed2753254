import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Console, Effect, Layer } from "effect"
import { Arta, ArtaApi, DurationStore, Generation } from "effect-arta"

// Generates again and again, each time with a new layer, and prints "saved" after each one.
const [, , file = "durations.json", n = "1"] = process.argv

const service = ArtaApi.ArtaApi.of({
  submit: () => Effect.succeed(Generation.RecordId.make("record")),
  status: () => Effect.succeed({ _tag: "Done", images: [{ index: 0, url: "https://images.example/0.png" }] })
})

const program = Effect.provide(
  Arta.run({ prompt: "cat", n: Number(n) }),
  Layer.provide(DurationStore.layerFileSystem(file), NodeContext.layer)
).pipe(Effect.zipRight(Console.log("saved")), Effect.forever, Effect.provideService(ArtaApi.ArtaApi, service))

NodeRuntime.runMain(program)
