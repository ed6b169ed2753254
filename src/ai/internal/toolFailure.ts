import * as Predicate from "effect/Predicate"
import type { ArtaError } from "../../ArtaError.js"

const newCall = "Nothing was submitted. Correct the parameters and call generate_image again."
const checkAgain =
  "The generation is paid for. Do not call generate_image again: call check_generation with this recordId."
const askUser = "The generation may be paid for. Do not call generate_image again unless the user asks for it."
const notNow = "No images were generated. Tell the user, and do not call generate_image again by yourself."

const recordIdOf = (error: ArtaError): string | undefined =>
  Predicate.hasProperty(error, "recordId") && typeof error.recordId === "string" ? error.recordId : undefined

const isMaybeSubmitted = (error: ArtaError): boolean =>
  error._tag === "SubmissionUnknownError" || (error._tag === "GenerationTimeoutError" && error.request !== undefined)

const nextStep = (error: ArtaError): string => {
  if (error._tag === "InvalidRequestError" || error._tag === "UnknownModelError") return newCall
  if (error._tag === "GenerationFailedError") return notNow
  if (recordIdOf(error) !== undefined) return checkAgain
  return isMaybeSubmitted(error) ? askUser : notNow
}

/** What a model reads of an error: what happened, and what to do so that nothing is paid twice. */
export const toToolFailure = (error: ArtaError) => {
  const recordId = recordIdOf(error)
  return {
    error: error._tag,
    message: error.message,
    next: nextStep(error),
    ...(recordId !== undefined && { recordId })
  }
}
