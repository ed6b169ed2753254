// npx tsx examples/promises.ts
//
// Uses effect-arta without Effect: promises, an AbortSignal, and errors handled by `_tag`. To use the real service,
// replace the first statement with `await using client = NodeArta.client()`.
import { ArtaClient } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"

await using client = ArtaClient.fromLayer(ArtaEmulator.layerArta())

const generation = await client.run({ prompt: "a lighthouse at dawn" })
console.log(generation.images[0].url)

try {
  await client.run({ prompt: "a lighthouse at dawn", model: "watercolour" })
} catch (error) {
  if (error instanceof Error && "_tag" in error) console.log(`${String(error._tag)}: ${error.message}`)
}

try {
  await client.run({ prompt: "a lighthouse at dusk" }, { signal: AbortSignal.timeout(1_000) })
} catch (error) {
  console.log(String(error))
}
