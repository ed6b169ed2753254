import * as Either from "effect/Either"
import type { RecordId } from "../Generation.js"

const signUpDisabled = "The API key allows no anonymous sign-up: use another key."
const sessionLost = "The session has ended: try again later."
const libraryDefect = "The identity service rejects the request: report this as a bug."

const apiKey = (problem: string): string =>
  `The API key ${problem}: set a valid one as ARTA_API_KEY or the apiKey option.`

/** The message for each reason of an `AuthError`. */
export const byAuthReason = {
  API_KEY_INVALID: apiKey("is invalid"),
  API_KEY_EXPIRED: apiKey("has expired"),
  API_KEY_MISSING: apiKey("is missing"),
  ADMIN_ONLY_OPERATION: signUpDisabled,
  OPERATION_NOT_ALLOWED: signUpDisabled,
  USER_DISABLED: "The account is disabled, and no other is created.",
  PROJECT_NUMBER_MISMATCH: "The session belongs to another API key: use that key, or another token file.",
  INVALID_REFRESH_TOKEN: sessionLost,
  TOKEN_EXPIRED: sessionLost,
  USER_NOT_FOUND: sessionLost,
  MISSING_REFRESH_TOKEN: sessionLost,
  NEW_ACCOUNT_REFUSED: "The service refuses a new account: check the API key and the URLs.",
  INVALID_GRANT_TYPE: libraryDefect,
  MISSING_GRANT_TYPE: libraryDefect,
  INVALID_ID_TOKEN: libraryDefect
} as const

export const activity = {
  signUp: "signing up",
  refresh: "refreshing the session",
  submit: "submitting the generation",
  status: "requesting the status"
} as const

/** Prints any value, in linear time: strings, lists and objects as JSON. */
export const stringify = (value: unknown): string =>
  Either.getOrElse(
    // `toJSON` may return undefined.
    Either.try(() => String(/string|object/.test(typeof value) ? JSON.stringify(value) : value)),
    () => `a value of type ${typeof value}`
  )

export const atMost = (length: number, text: string): string =>
  text.length > length ? `${text.slice(0, length)}…` : text

/**
 * Shows control characters, which could act on a terminal, and invisible ones, such as those that change the direction
 * of text. Zero-width joiners stay: emoji and some scripts need them.
 */
export const visible = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu,
    (character) => `\\u${Number(character.codePointAt(0)).toString(16).padStart(4, "0")}`
  )

/** Prints a value on one line of at most 100 characters. */
export const shown = (value: unknown): string => atMost(100, visible(stringify(value)))

/** Adds a period to text from a service, unless it already ends like a sentence. */
export const asSentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`)

/** What a service gave as the reason of a refusal. */
export const responded = (reason: string | undefined): string =>
  reason === undefined ? "" : asSentence(` The service responded: ${reason}`)

export const resumable = (id: RecordId | undefined): string =>
  id === undefined ? "" : ` The generation ${id} may still finish: watch it to get its images.`
