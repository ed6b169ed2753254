import { describe, expect, it } from "@effect/vitest"
import { Duration, Redacted } from "effect"
import { Credentials } from "effect-arta"
import type { Decision, TokenState } from "../../src/internal/identity/decideToken.js"
import { decideToken } from "../../src/internal/identity/decideToken.js"

const now = 10_000_000
const minutes = (n: number) => Duration.toMillis(Duration.minutes(n))

/** A session whose token lives for an hour and was issued some minutes ago. */
const issued = (name: string, age: number, localId = name) =>
  new Credentials.Credentials({
    localId,
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
  return "signUp" in decision ? "sign up" : `refresh ${decision.refresh.localId}`
}

/** A newer session of the same account. */
const successor = issued("successor", 1, "expired")

const table: ReadonlyArray<[name: string, state: Partial<TokenState>, decision: string]> = [
  ["nothing is known", {}, "sign up"],
  ["the store has a fresh token", { stored: fresh }, "use fresh"],
  ["the store has a valid token of another process", { held: expired, known: expired, stored: valid }, "use valid"],
  ["the valid token is our own", { held: valid, known: valid, stored: valid }, "refresh valid"],
  ["the store has an expired token", { stored: expired }, "refresh expired"],
  [
    "the API refused the stored token",
    { held: fresh, known: fresh, stored: fresh, refused: fresh.idToken },
    "refresh fresh"
  ],
  [
    "the API refused the token that another process replaced",
    { held: expired, known: expired, stored: fresh, refused: expired.idToken },
    "use fresh"
  ],
  ["the only session is gone", { held: expired, known: expired, stored: expired, gone: [expired] }, "sign up"],
  ["another process replaced the session", { held: fresh, known: fresh, stored: other }, "refresh other"],
  [
    "another process replaced the session by one of another account, which is gone",
    { held: expired, known: expired, stored: other, gone: [other] },
    "sign up"
  ],
  [
    "another process replaced the session by an older one of the same account, which is gone",
    { held: successor, known: successor, stored: expired, gone: [expired] },
    "use expired"
  ],
  ["the session in memory could not be saved", { held: fresh, known: other, stored: other }, "use fresh"],
  ["an expired session could not be saved", { held: expired, known: other, stored: other }, "refresh expired"],
  [
    "an expired session could not be saved and is gone",
    { held: expired, known: other, stored: other, gone: [expired] },
    "refresh other"
  ],
  [
    "another process replaced the store's session after ours could not be saved",
    { held: fresh, known: other, stored: valid },
    "use valid"
  ],
  ["the store was always empty, and memory has a fresh token", { held: fresh }, "use fresh"],
  ["the store was always empty, and memory has an expired token", { held: expired }, "refresh expired"],
  [
    "the store was empty, and another process has filled it, but that session is gone",
    { held: expired, stored: other, gone: [other] },
    "refresh expired"
  ],
  ["another process signed out, and our token is valid", { held: valid, known: valid }, "use valid"],
  ["another process signed out, and our token has expired", { held: expired, known: expired }, "sign up"],
  [
    "another process signed out, and the API refused our token",
    { held: fresh, known: fresh, refused: fresh.idToken },
    "sign up"
  ],
  ["another process signed out after our newer session could not be saved", { held: expired, known: other }, "sign up"],
  ["another process signed out before we had a session", { known: other }, "sign up"]
]

describe("The decision where a token comes from", () => {
  it.each(table)("if %s", (_, state, expected) => {
    const decision = decideToken({
      held: undefined,
      known: undefined,
      stored: undefined,
      gone: [],
      refused: undefined,
      now,
      ...state
    })
    expect(summary(decision)).toBe(expected)
  })
})
