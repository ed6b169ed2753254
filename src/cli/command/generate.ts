import { isPlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import { Arta, ArtaError, GenerateRequest } from "effect-arta"
import { randomUUID } from "node:crypto"
import { text } from "node:stream/consumers"
import { quote } from "shell-quote"
import { saveJournaled } from "../shared/saveImages.js"
import { services } from "../shared/layers.js"
import type { Failure, WatchFlags } from "../shared/errors.js"
import { explain, watchCommand } from "../shared/errors.js"
import * as Journal from "../shared/journal.js"
import type { ImageOptions, LimitOptions, SaveOptions, ServiceOptions } from "../shared/options.js"
import { limitFlags, limitsOf, toRequest, watchFlags } from "../shared/options.js"
import * as SubmissionJournal from "../shared/submissionJournal.js"
import { printFailureAsJson, runAndReport } from "../shared/runAndReport.js"

export interface Input extends ImageOptions, LimitOptions, SaveOptions, ServiceOptions {
  readonly prompt: string
}

const readStandardInput = Effect.map(
  Effect.promise(() => text(process.stdin)),
  (typed) => typed.trim()
)

const unlessDefault = (flag: string, value: number | string, byDefault: number | string): ReadonlyArray<string> =>
  value === byDefault ? [] : [flag, String(value)]

/** The command that generates the same images again. */
const repeatCommand = (request: GenerateRequest.GenerateRequest, input: Input): string => {
  const byDefault = new GenerateRequest.GenerateRequest({ prompt: request.prompt, seed: request.seed })
  const looksLikeFlag = request.prompt.startsWith("-")
  return quote([
    "effect-arta",
    "generate",
    ...(looksLikeFlag ? [] : [request.prompt]),
    ...unlessDefault("-m", request.model, byDefault.model),
    ...unlessDefault("-n", request.n, byDefault.n),
    ...unlessDefault("--negative", request.negativePrompt, byDefault.negativePrompt),
    ...unlessDefault("--aspect", request.aspectRatio, byDefault.aspectRatio),
    ...unlessDefault("--steps", request.numInferenceSteps, byDefault.numInferenceSteps),
    ...unlessDefault("--guidance", request.guidanceScale, byDefault.guidanceScale),
    "--seed",
    String(request.seed),
    ...limitFlags(input),
    ...(input.emulator ? ["--emulator"] : []),
    ...(looksLikeFlag ? ["--", request.prompt] : [])
  ])
}

/** The journal and the directory that receive the generation. With `--no-save`, there are none. */
const openOutput = ({ noSave, output }: SaveOptions) =>
  noSave
    ? Effect.succeed({ submissions: SubmissionJournal.noop, save: Option.none() })
    : Effect.map(Journal.open(output), (journal) => {
        const key = randomUUID()
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
      // Even if the disk is full or the directory is gone, the service finishes the generation.
      Effect.tapError((failure) => (isPlatformError(failure) ? printUnfinished : Effect.void))
    )
    if (!input.json) {
      const repeat = repeatCommand(request, input)
      yield* Console.error(`Seed ${String(request.seed)}. To generate the same images again: ${repeat}`)
    }
  }).pipe(Effect.scoped, Effect.provide(services(input)), printFailureAsJson(input))
