import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { Credentials } from "../Credentials.js"

/** A duration in seconds. The identity services send `"3600"` or `3600`. */
export const Seconds = Schema.transform(
  // Above this, the milliseconds overflow to Infinity, which JSON cannot represent.
  Schema.Union(Schema.Number, Schema.NumberFromString).pipe(Schema.positive(), Schema.lessThan(1e305)),
  Schema.DurationFromSelf,
  { strict: true, decode: (seconds) => Duration.seconds(seconds), encode: Duration.toSeconds }
)

/** The response to a sign-up. The Python client stores it unchanged as its credentials file. */
export const SignedUp = Schema.Struct({
  localId: Credentials.fields.localId,
  idToken: Credentials.fields.idToken,
  refreshToken: Credentials.fields.refreshToken,
  expiresIn: Seconds
})
