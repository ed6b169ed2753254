/**
 * The session of an anonymous account, and how long its tokens are valid.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

// A token goes into a header, which takes printable ASCII only.
const Token = Schema.String.pipe(Schema.pattern(/^[\x21-\x7e]+$/))

/**
 * The session of one anonymous account.
 *
 * `issuedAt` is the local time at which the tokens were requested, in milliseconds since the Unix epoch. The id token
 * expires `expiresIn` after that. `signedUpAt` is the time of the sign-up, if known.
 *
 * @since 0.1.0
 * @category models
 */
export class Credentials extends Schema.Class<Credentials>("ArtaCredentials")({
  localId: Schema.String,
  idToken: Schema.Redacted(Token),
  refreshToken: Schema.Redacted(Token),
  issuedAt: Schema.Finite,
  expiresIn: Schema.DurationFromMillis,
  signedUpAt: Schema.optional(Schema.Finite)
}) {}

/**
 * Whether the id token is usable at `now`, in milliseconds since the Unix epoch.
 *
 * The token counts as expired 30 seconds before its lifetime ends, or a tenth of its lifetime if that is shorter. A
 * token issued in the future counts as expired too: the clock has changed, so the token's age is unknown.
 *
 * @since 0.1.0
 * @category freshness
 */
export const isValid = (self: Credentials, now: number): boolean => {
  const lifetime = Duration.toMillis(self.expiresIn)
  const age = now - self.issuedAt + Math.min(30_000, lifetime / 10)
  return age >= 0 && age < lifetime
}

/**
 * Whether less than half of the id token's lifetime has passed at `now`, in milliseconds since the Unix epoch. A token
 * that is valid but no longer fresh stays in use while a refresh runs in the background.
 *
 * @since 0.1.0
 * @category freshness
 */
export const isFresh = (self: Credentials, now: number): boolean =>
  isValid(self, now) && now - self.issuedAt < Duration.toMillis(self.expiresIn) / 2
