import { Duration, Redacted } from "effect"
import { Credentials } from "effect-arta"

/** A session that reveals partial writes: every field holds its number, and it spans several disk pages. */
export const numberedSession = (number: number) =>
  new Credentials.Credentials({
    localId: `account-${String(number)}`,
    idToken: Redacted.make(`id-${String(number)}-`.repeat(2_000)),
    refreshToken: Redacted.make(`refresh-${String(number)}-`.repeat(2_000)),
    issuedAt: number,
    expiresIn: Duration.hours(1)
  })
