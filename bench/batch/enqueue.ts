// Enqueues rows, and sends how long that took.
import { Duration, Effect } from "effect"
import { DurableBatch } from "effect-arta/batch"
import { layerBatches } from "./layers.js"
import { promptsOf } from "./prompts.js"

const [, , url = "", rows = "0"] = process.argv

const program = Effect.gen(function* () {
  const [duration] = yield* Effect.timed(
    DurableBatch.enqueue(promptsOf(Number(rows)).map((prompt, seed) => ({ options: { prompt, seed } })))
  )
  process.send?.(Duration.toMillis(duration))
})

await program.pipe(Effect.provide(layerBatches(url)), Effect.runPromise)
