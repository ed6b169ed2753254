import * as Equal from "effect/Equal"
import type * as Redacted from "effect/Redacted"
import type { Credentials } from "../../Credentials.js"
import { isFresh, isValid } from "../../Credentials.js"
import { isSameSession } from "../sameSession.js"

/** What is known when a token is needed. */
export interface TokenState {
  /** The session in memory. */
  readonly held: Credentials | undefined
  /** The session that this process last left in the store, or found there. */
  readonly known: Credentials | undefined
  /** The session in the store now. Another process may have replaced or removed it. */
  readonly stored: Credentials | undefined
  /** The sessions that the service has just reported as gone. */
  readonly gone: ReadonlyArray<Credentials>
  /** The token that the API refused just now. */
  readonly refused: Redacted.Redacted | undefined
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Use a session, refresh one, or sign up. */
export type Decision = { readonly use: Credentials } | { readonly refresh: Credentials } | { readonly signUp: true }

/** The sessions that this process may use, the most trusted first. */
const candidates = ({ held, known, stored }: TokenState): ReadonlyArray<Credentials | undefined> => {
  // The session in memory is the one in the store, or a newer one that could not be saved.
  if (isSameSession(stored, known)) return [held, stored]
  // Another process replaced the session: trust the store, whatever the timestamps say. A session of another account
  // that was in the store has been signed out, or is gone.
  return [stored, known === undefined || held?.localId === stored?.localId ? held : undefined]
}

/**
 * Decides where a token comes from. An emptied store means that another process has signed out: the old session is
 * never refreshed, and its token is used only until it expires.
 */
export const decideToken = (state: TokenState): Decision => {
  const { gone, held, known, now, refused, stored } = state
  const isRefused = (session: Credentials) => Equal.equals(session.idToken, refused)

  if (known !== undefined && stored === undefined) {
    return held !== undefined && isValid(held, now) && !isRefused(held) ? { use: held } : { signUp: true }
  }
  const credentials = candidates(state).find(
    (session) =>
      session !== undefined && !gone.some(({ refreshToken }) => Equal.equals(refreshToken, session.refreshToken))
  )
  if (credentials === undefined) return { signUp: true }
  if (isRefused(credentials)) return { refresh: credentials }
  if (isFresh(credentials, now)) return { use: credentials }
  // A token that another process refreshed meanwhile saves a refresh of our own.
  const isFromAnotherProcess = !Equal.equals(credentials.idToken, held?.idToken)
  return isFromAnotherProcess && isValid(credentials, now) ? { use: credentials } : { refresh: credentials }
}
