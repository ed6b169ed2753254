import * as Either from "effect/Either"
import * as Inspectable from "effect/Inspectable"
import type { RecordId } from "../Generation.js"

const signUpIsOff = "Anonymous sign-up is off for this API key: use a key whose project allows it."
const sessionIsGone = "The session is gone, and a new one was refused: sign out and try again later."
const defect = "The identity service did not understand the library. Report this as a defect."

/** What a person can do, by the reason of an `AuthError`. */
export const byAuthReason = {
  API_KEY_INVALID: "The API key is not valid: check ARTA_API_KEY or the apiKey option.",
  API_KEY_MISSING: "There is no API key: set ARTA_API_KEY or pass the apiKey option.",
  ADMIN_ONLY_OPERATION: signUpIsOff,
  OPERATION_NOT_ALLOWED: signUpIsOff,
  USER_DISABLED: "The service has disabled this account, and no other is created.",
  PROJECT_NUMBER_MISMATCH:
    "The stored session, which is kept, belongs to another API key: use that key, or another token file.",
  INVALID_REFRESH_TOKEN: sessionIsGone,
  TOKEN_EXPIRED: sessionIsGone,
  USER_NOT_FOUND: sessionIsGone,
  MISSING_REFRESH_TOKEN: sessionIsGone,
  INVALID_GRANT_TYPE: defect,
  MISSING_GRANT_TYPE: defect,
  INVALID_ID_TOKEN: defect
} as const

export const activity = {
  signUp: "signing up",
  refresh: "refreshing the session",
  submit: "submitting the generation",
  status: "asking for the status"
} as const

const textOf = (value: unknown): string =>
  Either.try(() => (typeof value === "string" ? JSON.stringify(value) : Inspectable.toStringUnknown(value, 0))).pipe(
    Either.getOrElse(() => `a value of type ${typeof value}`)
  )

export const atMost = (length: number, text: string): string =>
  text.length > length ? `${text.slice(0, length)}…` : text

/** A value that somebody passed, on one line and not too long. */
export const shown = (value: unknown): string => atMost(100, textOf(value))

/** Ends what somebody else wrote as a sentence. */
export const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`)

export const resumable = (id: RecordId | undefined): string =>
  id === undefined ? "" : ` The generation ${id} may still finish: watch it to get its images.`
