import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { Credentials } from "../Credentials.js"

/** Seconds, as the identity services write them: `"3600"` or `3600`. */
export const Seconds = Schema.transform(
  // More than this would be infinitely many milliseconds, which no JSON can hold.
  Schema.Union(Schema.Number, Schema.NumberFromString).pipe(Schema.positive(), Schema.lessThan(1e305)),
  Schema.DurationFromSelf,
  { strict: true, decode: (seconds) => Duration.seconds(seconds), encode: Duration.toSeconds }
)

/** The answer to a sign-up. The Python client stores it as it came. */
export const SignedUp = Schema.Struct({
  localId: Credentials.fields.localId,
  idToken: Credentials.fields.idToken,
  refreshToken: Credentials.fields.refreshToken,
  expiresIn: Seconds
})
