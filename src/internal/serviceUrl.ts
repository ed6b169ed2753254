import * as Effect from "effect/Effect"
import type { InvalidRequestError } from "../ArtaError.js"
import { invalidOption } from "./invalidOption.js"

/** Without a user, a query and a fragment, which may be secret. */
const withoutSecrets = (url: string): string =>
  url.replace(/^(\w+:\/\/)?.*@/s, "$1").replace(/([?#]).+/s, "$1<redacted>")

/** Normalizes the URL of a service, which is the option `field`. A query would end up in the middle of other URLs. */
export const serviceUrl = (field: string, value: string): Effect.Effect<string, InvalidRequestError> => {
  const url = value.trim()
  return /^https?:\/\/[^/@?#]+(\/[^?#]*)?$/i.test(url) && URL.canParse(url)
    ? Effect.succeed(new URL(url).href)
    : invalidOption(field, withoutSecrets(url), "an http or https URL without a user, a query or a fragment")
}
