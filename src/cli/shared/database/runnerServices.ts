import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import { DurableBatch, SharedRateLimit, TokenStore } from "effect-arta/batch"
import * as Layers from "../layers.js"
import type { ServiceOptions } from "../options.js"
import { batchDatabase, toSetupError } from "./batchServices.js"
import type { DatabaseUrl } from "./databaseUrl.js"
import type { IfMissing } from "./openDatabase.js"

interface Input extends ServiceOptions {
  readonly concurrency: number
  readonly submissions?: number
}

/** What a process needs to run rows of a database. All runners share its account and the rate limit of the service. */
export const runnerServices = (url: DatabaseUrl, input: Input, ifMissing: IfMissing) => {
  const batches = DurableBatch.layer({
    concurrency: input.concurrency,
    submissionsAtOnce: input.submissions,
    timeout: Duration.seconds(input.timeout)
  })
  const services = Layer.provideMerge(SharedRateLimit.layer, Layers.runnerServices(input, TokenStore.layerSql))
  return Layer.mapError(batches, toSetupError(url)).pipe(
    Layer.merge(services),
    Layer.provide(batchDatabase(url, input, ifMissing))
  )
}
