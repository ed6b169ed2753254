// npx tsx examples/compose.ts
//
// A service on top of effect-arta. The layer at the bottom chooses the image service: the emulator here, and
// `NodeArta.layerConfig()` in production.
import { NodeRuntime } from "@effect/platform-node"
import { Console, Context, Effect, Either, Layer, Stream } from "effect"
import { Arta } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"

interface Postcard {
  readonly place: string
  readonly image: string
}

class Postcards extends Context.Tag("example/Postcards")<
  Postcards,
  { readonly from: (places: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Postcard>> }
>() {
  static readonly layer = Layer.effect(
    Postcards,
    Effect.map(Arta.make, (arta) => ({
      from: (places) =>
        arta
          .generateAll(
            places.map((place) => ({ prompt: `a postcard from ${place}`, aspectRatio: "3:2" })),
            { concurrency: 2, timeout: "2 minutes" }
          )
          .pipe(
            Stream.filterMap(({ index, result }) =>
              Either.getRight(
                Either.map(result, ({ images }) => ({ place: places[index] ?? "nowhere", image: images[0].url }))
              )
            ),
            Stream.runCollect,
            Effect.map((postcards) => [...postcards])
          )
    }))
  )
}

const program = Effect.gen(function* () {
  const postcards = yield* Postcards
  for (const { image, place } of yield* postcards.from(["Lisbon", "Tromsø", "Kyoto"])) {
    yield* Console.log(`${place}: ${image}`)
  }
})

program.pipe(
  Effect.provide(Layer.provide(Postcards.layer, ArtaEmulator.layerArta({ drawTime: "1 second" }))),
  NodeRuntime.runMain
)
