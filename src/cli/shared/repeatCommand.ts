import { GenerateRequest } from "effect-arta"
import { quote } from "shell-quote"
import { flags } from "./flagNames.js"

const byDefault = new GenerateRequest.GenerateRequest({ prompt: "any", seed: 0 })

const unlessDefault = (flag: string, value: number | string, standard: number | string): ReadonlyArray<string> =>
  value === standard ? [] : [flag, String(value)]

/** The command that generates the images of a request again, quoted for the shell. `extra` is put after its flags. */
export const repeatCommand = (request: GenerateRequest.GenerateRequest, extra: ReadonlyArray<string>): string => {
  const { prompt, seed } = request
  const looksLikeFlag = prompt.startsWith("-")
  return quote([
    "effect-arta",
    "generate",
    ...(looksLikeFlag ? [] : [prompt]),
    ...unlessDefault("-m", request.model, byDefault.model),
    ...unlessDefault(flags.n, request.n, byDefault.n),
    ...unlessDefault(flags.negativePrompt, request.negativePrompt, byDefault.negativePrompt),
    ...unlessDefault(flags.aspectRatio, request.aspectRatio, byDefault.aspectRatio),
    ...unlessDefault(flags.numInferenceSteps, request.numInferenceSteps, byDefault.numInferenceSteps),
    ...unlessDefault(flags.guidanceScale, request.guidanceScale, byDefault.guidanceScale),
    flags.seed,
    String(seed),
    ...extra,
    ...(looksLikeFlag ? ["--", prompt] : [])
  ])
}
