/**
 * A signed-up session: its tokens, and how long they are good for.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

// A header can hold nothing else.
const Token = Schema.String.pipe(Schema.pattern(/^[\x21-\x7e]+$/))

/**
 * The session of one anonymous account. `issuedAt` is the local time, in milliseconds since 1970, at which the tokens
 * were received; `expiresIn` is how long the id token is good for from then on. `signedUpAt` is when the account was made,
 * where that is known.
 *
 * @since 0.1.0
 * @category models
 */
export class Credentials extends Schema.Class<Credentials>("effect-arta/Credentials")({
  localId: Schema.String,
  idToken: Schema.Redacted(Token),
  refreshToken: Schema.Redacted(Token),
  issuedAt: Schema.Finite,
  expiresIn: Schema.DurationFromMillis,
  signedUpAt: Schema.optional(Schema.Finite)
}) {}

const age = (self: Credentials, now: number): number => now - self.issuedAt

const safetyMargin = (self: Credentials): number => Math.min(30_000, Duration.toMillis(self.expiresIn) / 10)

/**
 * Whether the id token can be used at the given time, in milliseconds since 1970. It counts as expired 30 seconds
 * before the service says so (a tenth of its life, if that is less). A token that seems to come from the future counts
 * as expired too: the clock was changed, and the token's age is unknown.
 *
 * @since 0.1.0
 * @category freshness
 */
export const isValid = (self: Credentials, now: number): boolean =>
  age(self, now) >= -safetyMargin(self) && age(self, now) < Duration.toMillis(self.expiresIn) - safetyMargin(self)

/**
 * Whether less than half of the id token's life is gone at the given time, in milliseconds since 1970. Past that it is
 * renewed in the background, while it is still in use.
 *
 * @since 0.1.0
 * @category freshness
 */
export const isFresh = (self: Credentials, now: number): boolean =>
  isValid(self, now) && age(self, now) < Duration.toMillis(self.expiresIn) / 2
