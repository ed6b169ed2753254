import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import { DurableBatch } from "effect-arta/batch"
import { servicesWithoutJournal } from "../layers.js"
import type { ServiceOptions } from "../options.js"
import { batchDatabase, toSetupError } from "./batchServices.js"
import type { DatabaseUrl } from "./databaseUrl.js"
import type { IfMissing } from "./openDatabase.js"

interface Input extends ServiceOptions {
  readonly concurrency: number
  readonly submissions?: number
}

/** What a process needs to run rows of a database. */
export const runnerServices = (url: DatabaseUrl, input: Input, ifMissing: IfMissing) =>
  DurableBatch.layer({
    concurrency: input.concurrency,
    submissionsAtOnce: input.submissions,
    timeout: Duration.seconds(input.timeout)
  }).pipe(
    Layer.mapError(toSetupError(url)),
    Layer.provide(batchDatabase(url, input, ifMissing)),
    Layer.merge(servicesWithoutJournal(input))
  )
