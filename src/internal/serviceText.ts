import { encodeBase64 } from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import { atMost, visible } from "./errorMessages.js"
import { weaklyKeyed } from "./weaklyKeyed.js"

export type Secrets = ReadonlyArray<Redacted.Redacted>

/** A secret, and its forms in a form body, a URL, JSON and base64. */
const spellings = weaklyKeyed((secret: Redacted.Redacted): ReadonlyArray<string> => {
  const text = Redacted.value(secret)
  if (text === "") return []
  const form = new URLSearchParams([["", text]]).toString().slice(1)
  // `encodeURIComponent` throws on half a character.
  const component = form.replaceAll("+", "%20").replace(/%(2[1789]|7E)/g, decodeURIComponent)
  const base64 = encodeBase64(text)
  const forms = new Set([text, form, component, JSON.stringify(text).slice(1, -1)])
  // The base64 of a short text is part of many words.
  return text.length < 12 ? [...forms] : [...forms, base64, base64.replace(/=+$/, "")]
})

export const scrub = (text: string, secrets: Secrets): string =>
  secrets.flatMap(spellings).reduce((rest, secret) => rest.replaceAll(secret, "<redacted>"), text)

/** Replaces words that repeat 23 characters of a secret in any case: a service may cut, split or escape it. */
const scrubWords = (text: string, secrets: Secrets): string => {
  // 23 characters contain one of these parts.
  const parts = secrets.flatMap((secret) => Redacted.value(secret).toLowerCase().match(/.{12}/g) ?? [])
  const repeats = (word: string) => parts.some((part) => word.toLowerCase().includes(part))
  return text.replace(/[\w.~+/=-]{12,}/g, (word) => (repeats(word) ? "<redacted>" : word))
}

/** Prepares a service's text for errors, logs and terminals: one bounded line without control characters or secrets. */
export const presentable = (text: string, secrets: Secrets, length = 500): string => {
  const line = scrub(text, secrets)
    .replace(/(\r\n|[^\S\r\v\f])+/g, " ")
    .trim()
  // The rest is cut off.
  return atMost(length, visible(scrubWords(line.slice(0, 2 * length), secrets)))
}
