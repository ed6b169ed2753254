// npx tsx examples/for-await.ts
//
// Reads the events of a generation in a `for await` loop, with a managed runtime.
import { Duration, Effect, ManagedRuntime } from "effect"
import { Arta } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"

const runtime = ManagedRuntime.make(ArtaEmulator.layerArta())

const events = await runtime.runPromise(Arta.toAsyncIterable(Arta.generate({ prompt: "a lighthouse at dawn", n: 2 })))

for await (const event of events) {
  switch (event._tag) {
    case "Submitted":
      console.log(`submitted with seed ${String(event.request.seed)}`)
      break
    case "Completed":
      console.log(`completed after ${Duration.format(event.elapsed)}: ${event.images.map(({ url }) => url).join(", ")}`)
      break
    default:
      console.log(event._tag)
  }
}

await Effect.runPromise(runtime.disposeEffect)
