import * as Redacted from "effect/Redacted"
import { atMost, visible } from "./errorMessages.js"

export type Secrets = ReadonlyArray<Redacted.Redacted>

/** A secret, and its forms in a form body or a URL. */
const spellings = (secret: Redacted.Redacted): ReadonlyArray<string> => {
  const text = Redacted.value(secret)
  const form = new URLSearchParams([["", text]]).toString().slice(1)
  return text === "" ? [] : [text, form, form.replaceAll("+", "%20")]
}

export const scrub = (text: string, secrets: Secrets): string =>
  secrets.flatMap(spellings).reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), text)

/** Prepares a service's text for errors, logs and terminals: one bounded line without control characters or secrets. */
export const presentable = (text: string, secrets: Secrets, length = 500): string =>
  atMost(
    length,
    visible(
      scrub(text, secrets)
        .replaceAll("\r\n", "\n")
        .replace(/[^\S\r\v\f]+/g, " ")
        .trim()
    )
  )
