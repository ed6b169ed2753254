import { describe, expect, it } from "@effect/vitest"
import { Duration, Redacted } from "effect"
import { Credentials } from "effect-arta"
import type { Decision, TokenState } from "../../src/internal/identity/decideToken.js"
import { decideToken } from "../../src/internal/identity/decideToken.js"

const now = 10_000_000
const minutes = (n: number) => Duration.toMillis(Duration.minutes(n))

/** A session whose token lives for an hour and was issued some minutes ago. */
const issued = (name: string, age: number) =>
  new Credentials.Credentials({
    localId: name,
    idToken: Redacted.make(`id-${name}`),
    refreshToken: Redacted.make(`refresh-${name}`),
    issuedAt: now - minutes(age),
    expiresIn: Duration.hours(1)
  })

const fresh = issued("fresh", 5)
const valid = issued("valid", 40)
const expired = issued("expired", 70)
const other = issued("other", 70)

const summary = (decision: Decision): string => {
  if ("use" in decision) return `use ${decision.use.localId}`
  return decision.refresh.length === 0
    ? "sign up"
    : `refresh ${decision.refresh.map(({ localId }) => localId).join(", then ")}`
}

const table: ReadonlyArray<[name: string, known: Partial<TokenState>, decision: string]> = [
  ["nothing is known", {}, "sign up"],
  ["the store has a fresh token", { stored: fresh }, "use fresh"],
  ["the store has a valid token of another process", { held: expired, stored: valid }, "use valid"],
  ["the valid token is our own", { held: valid, stored: valid }, "refresh valid"],
  ["the store has an expired token", { stored: expired }, "refresh expired"],
  ["the API refused the stored token", { held: fresh, stored: fresh, refused: fresh.idToken }, "refresh fresh"],
  [
    "the API refused the token that another process replaced",
    { held: expired, stored: fresh, refused: expired.idToken },
    "use fresh"
  ],
  ["two expired sessions are known", { held: expired, stored: other }, "refresh other, then expired"],
  ["the session in memory could not be saved", { held: fresh, stored: other, isUnsaved: true }, "use fresh"],
  [
    "an expired session could not be saved",
    { held: expired, stored: other, isUnsaved: true },
    "refresh expired, then other"
  ],
  ["the store is empty, and memory has a fresh token", { held: fresh }, "use fresh"],
  ["the store is empty, and memory has an expired token", { held: expired }, "refresh expired"]
]

describe("The decision where a token comes from", () => {
  it.each(table)("if %s", (_, known, expected) => {
    const decision = decideToken({
      held: undefined,
      stored: undefined,
      isUnsaved: false,
      refused: undefined,
      now,
      ...known
    })
    expect(summary(decision)).toBe(expected)
  })
})
