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

/**
 * The processes of one machine share its session file. Those that share a server share an account there. A SQLite file
 * holds no tokens, because it is beside images that may be published.
 */
const apiServices = (url: DatabaseUrl, input: Input) =>
  url._tag === "Postgres" ? Layers.servicesWithStore(input, TokenStore.layerSql) : Layers.servicesWithoutJournal(input)

/** What a process needs to run rows of a database. All runners share the account and the rate limit of the service. */
export const runnerServices = (url: DatabaseUrl, input: Input, ifMissing: IfMissing) => {
  const batches = DurableBatch.layer({
    concurrency: input.concurrency,
    submissionsAtOnce: input.submissions,
    timeout: Duration.seconds(input.timeout)
  })
  const services = Layer.provideMerge(SharedRateLimit.layer, apiServices(url, input))
  return Layer.mapError(batches, toSetupError(url)).pipe(
    Layer.merge(services),
    Layer.provide(batchDatabase(url, input, ifMissing))
  )
}
