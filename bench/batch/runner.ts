// A runner. Says that it is ready, starts when it is told to, and sends what it has used whenever it is asked.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Layer } from "effect"
import { DurableBatch, ImageSink, SubmissionLedger } from "effect-arta/batch"
import { NodeArta } from "effect-arta/node"
import { layerBatches } from "./layers.js"
import { measureUsage } from "./usage.js"

const [, , url = "", directory = "", concurrency = "1"] = process.argv

const told = (what: string) =>
  Effect.async<string>((resume) => {
    const listen = (message: string) => {
      if (message !== what) return
      process.off("message", listen)
      resume(Effect.succeed(message))
    }
    process.on("message", listen)
  })

const program = Effect.gen(function* () {
  process.send?.("ready")
  yield* told("run")
  const report = measureUsage()
  yield* Effect.fork(Effect.forever(Effect.zipRight(told("usage"), Effect.sync(report))))
  return yield* DurableBatch.run
})

const services = Layer.mergeAll(SubmissionLedger.layerSql(), ImageSink.layerDirectory(directory)).pipe(
  Layer.provideMerge(layerBatches(url, { concurrency: Number(concurrency) })),
  Layer.provideMerge(NodeArta.layerConfig())
)

program.pipe(Effect.provide(services), NodeRuntime.runMain)
