import * as Redacted from "effect/Redacted"
import { atMost, visible } from "./errorMessages.js"
import { weaklyKeyed } from "./weaklyKeyed.js"

export type Secrets = ReadonlyArray<Redacted.Redacted>

/** A secret, and its form in a form body or a URL. */
const spellings = weaklyKeyed((secret: Redacted.Redacted): ReadonlyArray<string> => {
  const text = Redacted.value(secret)
  return text === "" ? [] : [text, new URLSearchParams([["", text]]).toString().slice(1)]
})

export const scrub = (text: string, secrets: Secrets): string =>
  secrets.flatMap(spellings).reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), text)

/** Prepares a service's text for errors, logs and terminals: one bounded line without control characters or secrets. */
export const presentable = (text: string, secrets: Secrets, length = 500): string =>
  atMost(
    length,
    visible(
      scrub(text, secrets)
        .replace(/(\r\n|[^\S\r\v\f])+/g, " ")
        .trim()
    )
  )
