import { Option, Redacted } from "effect"
import type { Credentials } from "effect-arta"

/** `expect` treats all redacted values as equal, so tests compare the values inside. */
export const unredact = Option.map((session: Credentials.Credentials) => ({
  localId: session.localId,
  idToken: Redacted.value(session.idToken),
  refreshToken: Redacted.value(session.refreshToken),
  issuedAt: session.issuedAt,
  signedUpAt: session.signedUpAt,
  expiresIn: session.expiresIn
}))
