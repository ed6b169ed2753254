import type { ImageModelV3CallOptions } from "@ai-sdk/provider"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Arta from "../../Arta.js"
import type { UnknownModelError } from "../../ArtaError.js"
import { InvalidRequestError } from "../../ArtaError.js"
import type { GenerateRequest } from "../../GenerateRequest.js"

const place = "providerOptions.arta"

// The library checks the values, as it does for every other option.
const ProviderOptions = Schema.Struct({
  negativePrompt: Schema.optional(Schema.Unknown),
  steps: Schema.optional(Schema.Unknown),
  guidanceScale: Schema.optional(Schema.Unknown)
})

const names = Object.keys(ProviderOptions.fields).join(", ")

/** How a caller of the AI SDK names an option of the library, if the names differ. */
const callerNames: Readonly<Record<string, string>> = {
  negativePrompt: `${place}.negativePrompt`,
  numInferenceSteps: `${place}.steps`,
  guidanceScale: `${place}.guidanceScale`
}

const unknownOption = (error: ParseResult.ParseError): InvalidRequestError => {
  const [name] = ParseResult.ArrayFormatter.formatErrorSync(error).flatMap(({ path }) => path.map(String))
  return name === undefined
    ? new InvalidRequestError({ field: place, value: "something else", allowed: `an object with ${names}` })
    : new InvalidRequestError({ field: `${place}.${name}`, value: "unknown", allowed: `one of ${names}` })
}

// An option that is misspelled would be ignored, and the images paid for.
const decodeProviderOptions = (options: unknown = {}) =>
  Effect.mapError(Schema.decodeUnknown(ProviderOptions, { onExcessProperty: "error" })(options), unknownOption)

/** Turns the options of a call into a request of the library, or fails before anything is sent. */
export const decodeOptions = (
  model: string,
  { aspectRatio, n, prompt, providerOptions, seed }: ImageModelV3CallOptions
): Effect.Effect<GenerateRequest, InvalidRequestError | UnknownModelError> =>
  Effect.gen(function* () {
    const { guidanceScale, negativePrompt, steps } = yield* decodeProviderOptions(providerOptions["arta"])
    return yield* Arta.prepare({
      model,
      prompt,
      n,
      aspectRatio,
      seed,
      negativePrompt,
      guidanceScale,
      numInferenceSteps: steps
    })
  }).pipe(
    Effect.catchTag(
      "InvalidRequestError",
      ({ allowed, field, value }) => new InvalidRequestError({ field: callerNames[field] ?? field, value, allowed })
    )
  )
