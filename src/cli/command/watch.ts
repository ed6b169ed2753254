import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Arta } from "effect-arta"
import { services } from "../shared/layers.js"
import type { Failure } from "../shared/errors.js"
import type { SaveOptions, ServiceOptions } from "../shared/options.js"
import { saveWatched } from "../shared/saveWatched.js"
import { checkOutput, isStandardOutput, writeImage } from "../shared/standardOutput.js"
import { printFailureAsJson, runAndReport } from "../shared/runAndReport.js"

export interface Input extends SaveOptions, ServiceOptions {
  readonly recordId: string
}

const saveOf = (input: Input) => {
  if (input.noSave) return Option.none()
  return Option.some(isStandardOutput(input) ? writeImage(input) : saveWatched(input))
}

/** Resumes a generation that was submitted before, shows the progress, and saves the images. */
export const watch = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.zipRight(
    checkOutput(input),
    runAndReport((onEvent) => Arta.resume(input.recordId, { timeout: Duration.seconds(input.timeout), onEvent }), {
      ...input,
      save: saveOf(input)
    })
  ).pipe(Effect.provide(services(input)), printFailureAsJson(input))
