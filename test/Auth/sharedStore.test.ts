import { describe, expect, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { Auth } from "effect-arta"
import { counts, withEmulator } from "../support/withEmulator.js"
import { renew, token } from "../support/session.js"

const signOut = Effect.flatMap(Auth.Auth, (auth) => auth.signOut)

/** Runs an effect in another program that shares the store. */
const elsewhere = Effect.provide(Auth.layer({ apiKey: "emulated" }))

describe("Auth with a store that another program shares", () => {
  it.effect("uses a stored token that was not refused", () =>
    Effect.gen(function* () {
      const refused = yield* token
      const others = yield* elsewhere(renew(refused))
      expect(yield* renew(refused)).toEqual(others)
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 1 })
    }).pipe(withEmulator())
  )

  // fault: Sessions | The clock is set back, and another program has signed up | nothing
  it.effect("uses the session that the other program has stored, although the clock was set back", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("10 hours")
      yield* token
      yield* TestClock.setTime(0)
      const newer = yield* elsewhere(Effect.zipRight(signOut, token))
      expect(yield* token).toBe(newer)
      expect(yield* counts).toMatchObject({ signUp: 2, refresh: 0 })
    }).pipe(withEmulator())
  )
})
