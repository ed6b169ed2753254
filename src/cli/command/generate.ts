import type { PlatformError } from "@effect/platform/Error"
import { isPlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { GenerateRequest } from "effect-arta"
import { Arta, ArtaError } from "effect-arta"
import { randomUUID } from "node:crypto"
import { text } from "node:stream/consumers"
import { quote } from "shell-quote"
import { saveJournaled } from "../shared/saveImages.js"
import { services } from "../shared/layers.js"
import type { Failure, WatchFlags } from "../shared/errors.js"
import { explain, toSetupError, watchCommand } from "../shared/errors.js"
import * as Journal from "../shared/journal.js"
import { namerOf } from "../shared/nameTemplate.js"
import type { ImageOptions, LimitOptions, NameOptions, SaveOptions, ServiceOptions } from "../shared/options.js"
import { limitFlags, limitsOf, metadataFlag, nameFlag, proxyFlag, toRequest, watchFlags } from "../shared/options.js"
import { repeatCommand } from "../shared/repeatCommand.js"
import { checkOutput, isStandardOutput, writeImage } from "../shared/standardOutput.js"
import * as SubmissionJournal from "../shared/submissionJournal.js"
import { printFailureAsJson, runAndReport } from "../shared/runAndReport.js"

export interface Input extends ImageOptions, LimitOptions, NameOptions, SaveOptions, ServiceOptions {
  readonly prompt: string
}

const readStandardInput = Effect.map(
  Effect.promise(() => text(process.stdin)),
  (typed) => typed.trim()
)

/** The journal and the directory that receive the generation. With `--no-save` and `-o -`, there is no journal. */
const openOutput = (input: Input, name: string) => {
  if (input.noSave) return Effect.succeed({ submissions: SubmissionJournal.noop, save: Option.none() })
  if (isStandardOutput(input))
    return Effect.succeed({ submissions: SubmissionJournal.noop, save: Option.some(writeImage(input, name)) })
  return Effect.map(Journal.open(input.output), (journal) => {
    // The gallery marks what the emulator generated.
    const key = `${input.emulator ? "emulated-" : ""}${randomUUID()}`
    return {
      submissions: SubmissionJournal.fromJournal(journal, key, Option.none(), name),
      save: Option.some(saveJournaled(journal, key, input))
    }
  })
}

/** The flags of this command that a repeated one needs too. */
const otherFlags = (input: Input): ReadonlyArray<string> => [
  ...limitFlags(input),
  ...metadataFlag(input),
  ...(input.output === "images" ? [] : ["-o", input.output]),
  ...nameFlag(input),
  ...(input.noSave ? ["--no-save"] : []),
  ...(input.open ? ["--open"] : []),
  ...(input.timeout === 300 ? [] : ["--timeout", String(input.timeout)]),
  ...proxyFlag(input.proxy),
  ...(input.emulator ? ["--emulator"] : [])
]

/** Prints what a user may want to do next. */
const printHints = (
  request: GenerateRequest.GenerateRequest,
  { recordId }: SubmissionJournal.LastKnown,
  input: Input
) =>
  Effect.gen(function* () {
    const repeat = repeatCommand(request, otherFlags(input))
    yield* Console.error(`Seed ${String(request.seed)}. To generate the same images again: ${repeat}`)
    if (input.noSave && !input.emulator && recordId !== undefined) {
      const save = watchCommand(recordId, ["-o", input.output, ...proxyFlag(input.proxy)])
      yield* Console.error(`The URLs expire. To save the images: ${save}`)
    }
    if (!input.noSave && !isStandardOutput(input)) {
      yield* Console.error(`To look at the images in a browser: ${quote(["effect-arta", "gallery", input.output])}`)
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
    const namer = yield* namerOf(input.name)
    yield* checkOutput(input, request.n)
    const { save, submissions } = yield* openOutput(input, namer(request))
    const lastKnown = yield* Ref.make<SubmissionJournal.LastKnown>({})
    const printUnfinished = Effect.flatMap(Ref.get(lastKnown), (known) => printLastKnown(known, watchFlags(input)))

    const settings = { timeout: Duration.seconds(input.timeout), ...limitsOf(input) }
    yield* runAndReport((onEvent) => Arta.run(request, { ...settings, onEvent }), { ...input, save }).pipe(
      SubmissionJournal.withJournal(SubmissionJournal.track(submissions, lastKnown)),
      Effect.onInterrupt(() => printUnfinished),
      Effect.catchIf(isPlatformError, (error) => Effect.flatMap(Ref.get(lastKnown), explainUnfinished(error, input)))
    )
    if (!input.json && !input.quiet) yield* printHints(request, yield* Ref.get(lastKnown), input)
  }).pipe(Effect.scoped, Effect.provide(services(input)), printFailureAsJson(input))
