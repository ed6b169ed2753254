import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "@effect/platform/Path"
import type { BatchStatus } from "effect-arta/batch"
import { isHere, settingsOf } from "../../../shared/database/batchSettings.js"
import type { Input } from "../input.js"

export const absolute = (file: string) =>
  file === "-" ? Effect.succeed(file) : Effect.map(Path.Path, (path) => path.resolve(file))

/** A batch of the same file and directory, which may have had other rows then. */
export const findEarlier = (summaries: ReadonlyArray<BatchStatus.BatchSummary>, input: Input) =>
  Effect.gen(function* () {
    if (input.file === "-") return undefined
    const [file, directory] = [yield* absolute(input.file), yield* absolute(input.output)]
    return summaries.find(
      (summary) =>
        Option.isNone(summary.cancelledAt) &&
        Option.exists(
          settingsOf(summary),
          (settings) => isHere(settings) && settings.file === file && settings.directory === directory
        )
    )
  })
