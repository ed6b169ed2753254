import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import { DurableBatch, SubmissionLedger } from "effect-arta/batch"
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
  Layer.merge(
    DurableBatch.layer({ concurrency: input.concurrency, timeout: Duration.seconds(input.timeout) }),
    Layer.mapError(SubmissionLedger.layerSql({ submissionsAtOnce: input.submissions }), toSetupError(url))
  ).pipe(Layer.provide(batchDatabase(url, input, ifMissing)), Layer.merge(servicesWithoutJournal(input)))
