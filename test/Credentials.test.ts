import { describe, expect, it } from "@effect/vitest"
import { Duration, Redacted } from "effect"
import { Credentials } from "effect-arta"
import { inspect } from "node:util"

describe("Credentials", () => {
  const lasting = (expiresIn: Duration.DurationInput) =>
    new Credentials.Credentials({
      localId: "me",
      idToken: Redacted.make("id"),
      refreshToken: Redacted.make("refresh"),
      issuedAt: 1_000_000,
      expiresIn: Duration.decode(expiresIn)
    })
  const minutes = (n: number) => 1_000_000 + n * 60_000

  it("are fresh for half of their lifetime and valid until shortly before its end", () => {
    const hour = lasting("1 hour")
    expect([0, 29.9, 30, 59, 59.6, 61].map((n) => Credentials.isFresh(hour, minutes(n)))).toEqual([
      true,
      true,
      false,
      false,
      false,
      false
    ])
    expect([0, 30, 59, 59.6, 61].map((n) => Credentials.isValid(hour, minutes(n)))).toEqual([
      true,
      true,
      true,
      false,
      false
    ])
  })

  it("are usable even with a lifetime of seconds", () => {
    expect(Credentials.isValid(lasting("10 seconds"), 1_000_000 + 8_000)).toBe(true)
    expect(Credentials.isValid(lasting("10 seconds"), 1_000_000 + 9_500)).toBe(false)
  })

  it("are invalid when they were issued in the future", () => {
    expect(Credentials.isValid(lasting("1 hour"), minutes(-10))).toBe(false)
    expect(Credentials.isValid(lasting("1 hour"), minutes(-0.1))).toBe(true)
  })

  it("hide their tokens when printed", () => {
    const shown = `${inspect(lasting("1 hour"))} ${JSON.stringify(lasting("1 hour"))}`
    expect(shown).not.toMatch(/"id"|"refresh"/)
  })
})
