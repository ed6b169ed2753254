// npm run demo -- "a lighthouse at dawn"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Duration, Effect, Layer, Stream } from "effect"
import type { Generation } from "effect-arta"
import { Arta, ImageFile } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"

const prompt = process.argv.slice(2).join(" ") || "a lighthouse at dawn"

const describe = (event: Generation.GenerationEvent): string => {
  switch (event._tag) {
    case "Submitted":
      return `submitted to ${event.request.model} with seed ${String(event.request.seed)}`
    case "Queued":
      return "queued"
    case "InProgress":
      return `drawing after ${Duration.format(event.elapsed)}`
    case "Completed":
      return `completed after ${Duration.format(event.elapsed)}`
  }
}

const program = Arta.generate({ prompt }).pipe(
  Stream.tap((event) => Console.log(describe(event))),
  Stream.filter((event) => event._tag === "Completed"),
  Stream.mapEffect((completed) => ImageFile.save(completed, { directory: "./images" })),
  Stream.flattenIterables,
  Stream.mapEffect(({ result }) => result),
  Stream.runForEach((path) => Console.log(`saved ${path}`))
)

Console.log(`Drawing "${prompt}" on the built-in emulator: no service is called and no key is needed.`).pipe(
  Effect.zipRight(program),
  Effect.provide(Layer.merge(ArtaEmulator.layerArta(), NodeContext.layer)),
  NodeRuntime.runMain
)
