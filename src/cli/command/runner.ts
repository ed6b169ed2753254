import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { DurableBatch, SubmissionLedger } from "effect-arta/batch"
import { toFailure } from "../shared/database/batchServices.js"
import { isHere, settingsOf } from "../shared/database/batchSettings.js"
import { chooseDatabase } from "../shared/database/chooseDatabase.js"
import type { DatabaseOptions } from "../shared/database/databaseOptions.js"
import * as ImageSinks from "../shared/database/imageSinks.js"
import { withLogfmt } from "../shared/logfmt.js"
import { runnerServices } from "../shared/database/runnerServices.js"
import { stopWithin } from "../shared/database/stopWithin.js"
import type { Failure } from "../shared/errors.js"
import { SetupError } from "../shared/errors.js"
import type { ServiceOptions } from "../shared/options.js"
import { withSettings } from "../shared/settings.js"

export interface Input extends DatabaseOptions, ServiceOptions {
  readonly concurrency: number
  readonly submissions: number
  /** None: the directory of each batch. */
  readonly output: Option.Option<string>
  /** None: what each batch says. */
  readonly metadata: Option.Option<"full" | "none">
}

/** Refuses to start where the images of an open batch would go to a directory that is another one here. */
const checkDirectories = ({ output }: Input) =>
  Effect.gen(function* () {
    if (Option.isSome(output)) return
    for (const summary of yield* DurableBatch.batches) {
      const settings = Option.getOrUndefined(settingsOf(summary))
      const isOpen = summary.rows.queued + summary.rows.running > 0
      if (isOpen && settings !== undefined && !isHere(settings)) {
        return yield* new SetupError({ message: ImageSinks.elsewhere(summary.batch, settings) })
      }
    }
  })

const logSaved = (batch: string, name: string, images: number) =>
  Effect.annotateLogs(Effect.logInfo("saved"), { batch, name, images })

const runRows = (shown: string, input: Input) =>
  Effect.gen(function* () {
    yield* checkDirectories(input)
    const { owner } = yield* SubmissionLedger.SubmissionLedger
    const { concurrency, submissions } = input
    yield* Effect.annotateLogs(Effect.logInfo("started"), { runner: owner, database: shown, concurrency, submissions })
    return yield* DurableBatch.run.pipe(
      Effect.onInterrupt(() => Effect.annotateLogs(Effect.logInfo("stopped"), { runner: owner }))
    )
  })

/** Runs the rows of all batches of a database until it is interrupted. */
export const runner = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const { url } = yield* chooseDatabase(
      input,
      Option.getOrElse(input.output, () => "images")
    )
    const services = ImageSinks.layer(input, logSaved).pipe(Layer.provideMerge(runnerServices(url, input, "fail")))
    yield* runRows(url.shown, input).pipe(
      Effect.mapError(toFailure(url)),
      Effect.provide(services),
      stopWithin,
      withLogfmt
    )
  }).pipe((effect) => (input.emulator ? effect : withSettings(effect)))
