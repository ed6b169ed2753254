import * as Effect from "effect/Effect"
import { InvalidRequestError } from "../ArtaError.js"
import { shown } from "./errorMessages.js"

const parse = (url: string): URL | undefined =>
  /^https?:\/\//i.test(url) && URL.canParse(url) ? new URL(url) : undefined

const hasUser = ({ password, username }: URL): boolean => username !== "" || password !== ""

/** A URL without its user, and without values of its query that may be secret. */
const withoutSecrets = (url: string): string => {
  const parsed = parse(url)
  const anonymous = parsed === undefined || hasUser(parsed) ? url.replace(/^(\w+:\/\/)?.*@/s, "$1") : url
  return anonymous.replace(/([?&#][^=&#]*(?:key|token|secret|auth|pass)[^=&#]*=)[^&#]*/gi, "$1<redacted>")
}

/** Checks the URL of a service, which is the option `field`. A query would end up in the middle of other URLs. */
export const serviceUrl = (field: string, value: string): Effect.Effect<string, InvalidRequestError> => {
  const url = value.trim()
  const parsed = parse(url)
  return parsed === undefined || hasUser(parsed) || /[?#]/.test(url)
    ? new InvalidRequestError({
        field,
        value: shown(withoutSecrets(url)),
        allowed: "an http or https URL without a user, a query or a fragment"
      })
    : Effect.succeed(url)
}
