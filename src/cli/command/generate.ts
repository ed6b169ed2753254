import { isPlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import type { Generation } from "effect-arta"
import { Arta, ArtaError, GenerateRequest } from "effect-arta"
import { randomUUID } from "node:crypto"
import { text } from "node:stream/consumers"
import { quote } from "shell-quote"
import { saveJournaled } from "../shared/saveImages.js"
import { services } from "../shared/layers.js"
import type { Failure } from "../shared/errors.js"
import { explain, watchCommand } from "../shared/errors.js"
import * as Journal from "../shared/journal.js"
import type { ImageOptions, SaveOptions, ServiceOptions } from "../shared/options.js"
import { toRequest, watchFlags } from "../shared/options.js"
import { noop, fromJournal, withJournal } from "../shared/submissionJournal.js"
import { printFailureAsJson, runAndReport } from "../shared/runAndReport.js"

export interface Input extends ImageOptions, SaveOptions, ServiceOptions {
  readonly prompt: string
}

const readStandardInput = Effect.map(
  Effect.promise(() => text(process.stdin)),
  (typed) => typed.trim()
)

const unlessDefault = (flag: string, value: number | string, byDefault: number | string): ReadonlyArray<string> =>
  value === byDefault ? [] : [flag, String(value)]

/** The command that generates the same images again. */
const repeatCommand = (request: GenerateRequest.GenerateRequest, { emulator }: ServiceOptions): string => {
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
    ...(emulator ? ["--emulator"] : []),
    ...(looksLikeFlag ? ["--", request.prompt] : [])
  ])
}

const withSaving = ({ output }: SaveOptions) =>
  Effect.map(Journal.open(output), (journal) => {
    const key = randomUUID()
    return { submissions: fromJournal(journal, key), save: Option.some(saveJournaled(journal, key, output)) }
  })

const withoutJournal = Effect.succeed({ submissions: noop, save: Option.none() })

/** Generates images from a prompt, shows the progress, and saves them. */
export const generate = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const prompt = input.prompt === "-" ? yield* readStandardInput : input.prompt
    const accepted = yield* Ref.make(Option.none<Generation.RecordId>())
    const sent = yield* Ref.make(Option.none<GenerateRequest.GenerateRequest>())
    const { submissions, save } = yield* input.noSave ? withoutJournal : withSaving(input)

    const events = Arta.generate(toRequest(prompt, input), { timeout: Duration.seconds(input.timeout) })
    const flags = watchFlags(input)
    const printLastKnown = Effect.gen(function* () {
      const id = yield* Ref.get(accepted)
      const request = yield* Ref.get(sent)
      if (Option.isNone(flags)) return
      if (Option.isSome(id)) {
        const resume = watchCommand(id.value, flags.value)
        yield* Console.error(`The service is still working on the generation ${id.value}. To get its images: ${resume}`)
      } else if (Option.isSome(request)) {
        yield* Console.error(explain(new ArtaError.SubmissionUnknownError({ request: request.value })))
      }
    })

    yield* runAndReport(events, { json: input.json, save }).pipe(
      withJournal({
        begin: (request) => Effect.zipRight(submissions.begin(request), Ref.set(sent, Option.some(request))),
        accepted: (id) => Effect.zipRight(Ref.set(accepted, Option.some(id)), submissions.accepted(id)),
        refused: Effect.zipRight(Ref.set(sent, Option.none()), submissions.refused)
      }),
      Effect.onInterrupt(() => printLastKnown),
      // After a full disk or a lost directory, the generation continues at the service too.
      Effect.tapError((failure) => (isPlatformError(failure) ? printLastKnown : Effect.void))
    )
    const request = yield* Effect.flatMap(Ref.get(sent), Effect.orDie)
    if (!input.json)
      yield* Console.error(
        `Seed ${String(request.seed)}. To generate the same images again: ${repeatCommand(request, input)}`
      )
  }).pipe(Effect.scoped, Effect.provide(services(input)), printFailureAsJson(input))
