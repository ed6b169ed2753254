import type { PlatformError } from "@effect/platform/Error"
import { isPlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { Arta, ArtaError } from "effect-arta"
import { randomUUID } from "node:crypto"
import { text } from "node:stream/consumers"
import { saveJournaled } from "../shared/saveImages.js"
import { services } from "../shared/layers.js"
import type { Failure, WatchFlags } from "../shared/errors.js"
import { explain, toSetupError, watchCommand } from "../shared/errors.js"
import * as Journal from "../shared/journal.js"
import type { ImageOptions, LimitOptions, SaveOptions, ServiceOptions } from "../shared/options.js"
import { limitFlags, limitsOf, toRequest, watchFlags } from "../shared/options.js"
import { repeatCommand } from "../shared/repeatCommand.js"
import * as SubmissionJournal from "../shared/submissionJournal.js"
import { printFailureAsJson, runAndReport } from "../shared/runAndReport.js"

export interface Input extends ImageOptions, LimitOptions, SaveOptions, ServiceOptions {
  readonly prompt: string
}

const readStandardInput = Effect.map(
  Effect.promise(() => text(process.stdin)),
  (typed) => typed.trim()
)

/** The journal and the directory that receive the generation. With `--no-save`, there are none. */
const openOutput = ({ emulator, noSave, output }: SaveOptions & ServiceOptions) =>
  noSave
    ? Effect.succeed({ submissions: SubmissionJournal.noop, save: Option.none() })
    : Effect.map(Journal.open(output), (journal) => {
        // The gallery marks what the emulator generated.
        const key = `${emulator ? "emulated-" : ""}${randomUUID()}`
        return {
          submissions: SubmissionJournal.fromJournal(journal, key),
          save: Option.some(saveJournaled(journal, key, output))
        }
      })

/** Prints how to get the images of an unfinished generation. */
const printLastKnown = ({ recordId, request }: SubmissionJournal.LastKnown, flags: WatchFlags): Effect.Effect<void> => {
  if (Option.isNone(flags)) return Effect.void
  if (recordId !== undefined) {
    const resume = watchCommand(recordId, flags.value)
    return Console.error(`The service has accepted the generation ${recordId}. To get its images: ${resume}`)
  }
  if (request === undefined) return Effect.void
  return Console.error(explain(new ArtaError.SubmissionUnknownError({ request })))
}

/** Even if the disk is full or the directory is gone, the service finishes an accepted generation. */
const explainUnfinished =
  (error: PlatformError, input: Input) =>
  ({ recordId, request }: SubmissionJournal.LastKnown) =>
    Effect.zipRight(
      printLastKnown(recordId === undefined ? { request } : {}, watchFlags(input)),
      toSetupError(error, recordId, watchFlags(input))
    )

/** Generates images from a prompt, shows the progress, and saves them. */
export const generate = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const prompt = input.prompt === "-" ? yield* readStandardInput : input.prompt
    const request = yield* Arta.prepare(toRequest(prompt, input), limitsOf(input))
    const { save, submissions } = yield* openOutput(input)
    const lastKnown = yield* Ref.make<SubmissionJournal.LastKnown>({})
    const printUnfinished = Effect.flatMap(Ref.get(lastKnown), (known) => printLastKnown(known, watchFlags(input)))

    yield* Arta.generate(request, { timeout: Duration.seconds(input.timeout), ...limitsOf(input) }).pipe(
      (events) => runAndReport(events, { json: input.json, save }),
      SubmissionJournal.withJournal(SubmissionJournal.track(submissions, lastKnown)),
      Effect.onInterrupt(() => printUnfinished),
      Effect.catchIf(isPlatformError, (error) => Effect.flatMap(Ref.get(lastKnown), explainUnfinished(error, input)))
    )
    if (!input.json) {
      const repeat = repeatCommand(request, [...limitFlags(input), ...(input.emulator ? ["--emulator"] : [])])
      yield* Console.error(`Seed ${String(request.seed)}. To generate the same images again: ${repeat}`)
    }
  }).pipe(Effect.scoped, Effect.provide(services(input)), printFailureAsJson(input))
