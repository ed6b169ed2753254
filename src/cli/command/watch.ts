import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Generation } from "effect-arta"
import { Arta, ImageFile } from "effect-arta"
import { saveDrawing, saveMissing } from "../shared/saveImages.js"
import { services } from "../shared/layers.js"
import type { Failure } from "../shared/errors.js"
import * as Journal from "../shared/journal.js"
import type { Saving, Service } from "../shared/options.js"
import { reportedAsJson, show } from "../shared/runAndReport.js"

export interface Input extends Saving, Service {
  readonly recordId: string
}

/** Saves under the name that the folder's journal has for the generation; where it has none, under the record id. */
const save = (directory: string) => (done: Generation.Completed) =>
  Effect.gen(function* () {
    const journal = yield* Journal.open(directory)
    const drawings = yield* journal.drawings
    const known = [...drawings.values()].find(({ recordId }) => recordId === done.recordId)
    return yield* known === undefined
      ? saveMissing(done, { directory, name: ImageFile.nameOf(done.recordId) })
      : saveDrawing(journal, known.key, directory)(done)
  }).pipe(Effect.scoped)

/** Picks up a generation that was submitted before, shows how it comes along, and saves it. */
export const watch = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  show(Arta.watch(input.recordId, { timeout: Duration.seconds(input.timeout) }), {
    json: input.json,
    save: input.noSave ? Option.none() : Option.some(save(input.output))
  }).pipe(Effect.provide(services(input)), reportedAsJson(input))
