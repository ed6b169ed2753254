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
import { saveDrawing } from "../shared/saveImages.js"
import { services } from "../shared/layers.js"
import type { Failure } from "../shared/errors.js"
import { explain, watchCommand } from "../shared/errors.js"
import * as Journal from "../shared/journal.js"
import type { Drawing, Saving, Service } from "../shared/options.js"
import { toRequest, watchFlags } from "../shared/options.js"
import { forgetful, journalRecorder, recordedBy } from "../shared/submissionJournal.js"
import { reportedAsJson, show } from "../shared/runAndReport.js"

export interface Input extends Drawing, Saving, Service {
  readonly prompt: string
}

const standardInput = Effect.map(
  Effect.promise(() => text(process.stdin)),
  (typed) => typed.trim()
)

const unlessDefault = (flag: string, value: number | string, byDefault: number | string): ReadonlyArray<string> =>
  value === byDefault ? [] : [flag, String(value)]

/** The command that draws the same images again. */
const sameAgain = (request: GenerateRequest.GenerateRequest, { emulator }: Service): string => {
  const byDefault = new GenerateRequest.GenerateRequest({ prompt: request.prompt, seed: request.seed })
  const isLikeFlag = request.prompt.startsWith("-")
  return quote([
    "effect-arta",
    "generate",
    ...(isLikeFlag ? [] : [request.prompt]),
    ...unlessDefault("-m", request.model, byDefault.model),
    ...unlessDefault("-n", request.n, byDefault.n),
    ...unlessDefault("--negative", request.negativePrompt, byDefault.negativePrompt),
    ...unlessDefault("--aspect", request.aspectRatio, byDefault.aspectRatio),
    ...unlessDefault("--steps", request.numInferenceSteps, byDefault.numInferenceSteps),
    ...unlessDefault("--guidance", request.guidanceScale, byDefault.guidanceScale),
    "--seed",
    String(request.seed),
    ...(emulator ? ["--emulator"] : []),
    ...(isLikeFlag ? ["--", request.prompt] : [])
  ])
}

const kept = ({ output }: Saving) =>
  Effect.map(Journal.open(output), (journal) => {
    const key = randomUUID()
    return { recorder: journalRecorder(journal, key), save: Option.some(saveDrawing(journal, key, output)) }
  })

const notKept = Effect.succeed({ recorder: forgetful, save: Option.none() })

/** Draws what a prompt says, shows how it comes along, and saves it. */
export const generate = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const prompt = input.prompt === "-" ? yield* standardInput : input.prompt
    const accepted = yield* Ref.make(Option.none<Generation.RecordId>())
    const sent = yield* Ref.make(Option.none<GenerateRequest.GenerateRequest>())
    const { recorder, save } = yield* input.noSave ? notKept : kept(input)

    const events = Arta.generate(toRequest(prompt, input), { timeout: Duration.seconds(input.timeout) })
    const flags = watchFlags(input)
    const whatGoesOn = Effect.gen(function* () {
      const id = yield* Ref.get(accepted)
      const request = yield* Ref.get(sent)
      if (Option.isNone(flags)) return
      if (Option.isSome(id)) {
        const resume = watchCommand(id.value, flags.value)
        yield* Console.error(`The generation ${id.value} goes on without you. Get its images: ${resume}`)
      } else if (Option.isSome(request)) {
        yield* Console.error(explain(new ArtaError.SubmissionUnknownError({ request: request.value })))
      }
    })

    yield* show(events, { json: input.json, save }).pipe(
      recordedBy({
        begin: (request) => Effect.zipRight(recorder.begin(request), Ref.set(sent, Option.some(request))),
        accepted: (id) => Effect.zipRight(Ref.set(accepted, Option.some(id)), recorder.accepted(id)),
        refused: Effect.zipRight(Ref.set(sent, Option.none()), recorder.refused)
      }),
      Effect.onInterrupt(() => whatGoesOn),
      // What a full disk or a lost folder stops goes on at the service as well.
      Effect.tapError((failure) => (isPlatformError(failure) ? whatGoesOn : Effect.void))
    )
    const request = yield* Effect.flatMap(Ref.get(sent), Effect.orDie)
    if (!input.json) yield* Console.error(`Seed ${String(request.seed)}. The same again: ${sameAgain(request, input)}`)
  }).pipe(Effect.scoped, Effect.provide(services(input)), reportedAsJson(input))
