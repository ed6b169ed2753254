// What a program without a database does: generates and saves the images of its prompts.
import { Effect } from "effect"
import { Arta, ImageFile } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { promptsOf } from "./prompts.js"
import { measureUsage } from "./usage.js"

const [, , rows = "0", concurrency = "1", directory = "."] = process.argv

const program = Effect.gen(function* () {
  const report = measureUsage()
  yield* Effect.forEach(
    promptsOf(Number(rows)),
    (prompt) => Effect.flatMap(Arta.run({ prompt }), (generation) => ImageFile.save(generation, { directory })),
    { concurrency: Number(concurrency), discard: true }
  )
  report()
})

await program.pipe(Effect.provide(NodeArta.layerConfig()), Effect.runPromise)
