import * as Array from "effect/Array"
import * as Equal from "effect/Equal"
import type * as Redacted from "effect/Redacted"
import type { Credentials } from "../../Credentials.js"
import { isFresh, isValid } from "../../Credentials.js"

/** What is known when a token is needed. */
export interface TokenState {
  /** The session in memory. */
  readonly held: Credentials | undefined
  /** The session in the store, which another process may have replaced. */
  readonly stored: Credentials | undefined
  /** Whether the store failed to save the session in memory. */
  readonly isUnsaved: boolean
  /** The token that the API refused just now. */
  readonly refused: Redacted.Redacted | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

export type Decision =
  | { readonly use: Credentials }
  /** Refresh the first session that the service still knows. If there is none, sign up. */
  | { readonly refresh: ReadonlyArray<Credentials> }

const signUp: Decision = { refresh: [] }

const hasSameToken = (one: Credentials, other: Credentials): boolean =>
  Equal.equals(one.refreshToken, other.refreshToken)

/**
 * Decides where a token comes from. If the store differs from what this process saved, another process replaced it:
 * trust the store, whatever the timestamps say.
 */
export const decideToken = ({ held, isUnsaved, now, refused, stored }: TokenState): Decision => {
  const newestFirst = (isUnsaved ? [held, stored] : [stored, held]).filter((session) => session !== undefined)
  const [credentials] = newestFirst
  if (credentials === undefined) return signUp

  const refresh = { refresh: Array.dedupeWith(newestFirst, hasSameToken) }
  const use = { use: credentials }

  if (Equal.equals(credentials.idToken, refused)) return refresh
  if (isFresh(credentials, now)) return use
  // A token that another process refreshed meanwhile saves a refresh of our own.
  const isFromAnotherProcess = !Equal.equals(credentials.idToken, held?.idToken)
  return isFromAnotherProcess && isValid(credentials, now) ? use : refresh
}
