import { Duration, Redacted } from "effect"
import { Credentials } from "effect-arta"

/** A session that shows whether it is whole: its number is in all of its parts, and it is too long for one page of a disk. */
export const numberedSession = (number: number) =>
  new Credentials.Credentials({
    localId: `account-${String(number)}`,
    idToken: Redacted.make(`id-${String(number)}-`.repeat(2_000)),
    refreshToken: Redacted.make(`refresh-${String(number)}-`.repeat(2_000)),
    issuedAt: number,
    expiresIn: Duration.hours(1)
  })
