import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Generation } from "effect-arta"
import { Arta, ImageFile } from "effect-arta"
import { saveJournaled, saveMissing } from "../shared/saveImages.js"
import { services } from "../shared/layers.js"
import type { Failure } from "../shared/errors.js"
import * as Journal from "../shared/journal.js"
import type { OutputOptions, SaveOptions, ServiceOptions } from "../shared/options.js"
import { checkOutput, isStandardOutput, writeImage } from "../shared/standardOutput.js"
import { printFailureAsJson, runAndReport } from "../shared/runAndReport.js"

export interface Input extends SaveOptions, ServiceOptions {
  readonly recordId: string
}

/** Saves the images under the generation's name in the journal, or under its record id if the journal has none. */
const save =
  ({ metadata, output }: OutputOptions) =>
  (done: Generation.Completed) =>
    Effect.gen(function* () {
      const journal = yield* Journal.open(output)
      const records = yield* journal.records
      const found = HashMap.findFirst(records, ({ recordId }) => recordId === done.recordId)
      return yield* Option.match(found, {
        onNone: () =>
          saveMissing(done, { metadata, output, name: ImageFile.nameOf(done.recordId), files: journal.files }),
        onSome: ([key]) => saveJournaled(journal, key, { metadata, output })(done)
      })
    }).pipe(Effect.scoped)

const saveOf = (input: Input) => {
  if (input.noSave) return Option.none()
  return Option.some(isStandardOutput(input) ? writeImage(input) : save(input))
}

/** Resumes a generation that was submitted before, shows the progress, and saves the images. */
export const watch = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.zipRight(
    checkOutput(input),
    runAndReport(Arta.watch(input.recordId, { timeout: Duration.seconds(input.timeout) }), {
      ...input,
      save: saveOf(input)
    })
  ).pipe(Effect.provide(services(input)), printFailureAsJson(input))
