import type { GenerateRequest } from "../../GenerateRequest.js"
import { clean, cut } from "./text.js"
import type { Size } from "./container.js"

// Readers take such a line for the start of the negative prompt or of the settings, wherever it is.
const misread = /\n(?=[^\S\n]*(?:Negative prompt|Steps):)/g

// As A1111 quotes a value that holds a separator.
const quoted = (value: string): string => (/[,:\n"]/.test(value) ? JSON.stringify(value) : value)

/** Cuts texts in proportion to their lengths. */
const fit = (texts: ReadonlyArray<string>, maxLength: number): ReadonlyArray<string> => {
  const total = texts.join("").length
  return total <= maxLength ? texts : texts.map((text) => cut(text, Math.floor((text.length * maxLength) / total)))
}

/**
 * The text in which Stable Diffusion web UI (A1111) stores how an image was generated, and which many tools read: the
 * prompt, the negative prompt, and a last line of settings. If it is too long, the prompts are shortened.
 *
 * The sampler is left out, because the service does not tell it.
 */
export const parametersText =
  (request: GenerateRequest, { height, width }: Size) =>
  (maxLength: number): string => {
    const settings = {
      Steps: request.numInferenceSteps,
      "CFG scale": request.guidanceScale,
      Seed: request.seed,
      Size: `${String(width)}x${String(height)}`,
      Model: quoted(clean(request.model))
    }
    const lastLine = Object.entries(settings)
      .map(([name, value]) => `${name}: ${String(value)}`)
      .join(", ")
    const label = "Negative prompt: "
    const prompts = [request.prompt, request.negativePrompt].map((text) => clean(text).trim().replace(misread, " "))
    const [prompt = "", negative = ""] = fit(prompts, maxLength - lastLine.length - label.length - 2)
    return [prompt, ...(negative === "" ? [] : [label + negative]), lastLine].join("\n")
  }
