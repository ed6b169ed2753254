import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"
import { Arta, Generation } from "effect-arta"

const recordId = Schema.decodeUnknownSync(Generation.RecordId)

describe("A record id", () => {
  it.each(["rec", "...", "a.", "a..", ".a", "12345678901234567890", "a b/c?d#e", "狐"])("can be %j", (id) => {
    expect(recordId(id)).toBe(id)
  })

  it.each(["", " ", " a", "a\n", ".", "..", "\ud800", "a\u001b[2J", "a\u202eb", "a\u2028b", "a\u2029b"])(
    "cannot be %j",
    (id) => {
      expect(() => recordId(id)).toThrow()
    }
  )
})

const image = { index: 0, url: "https://arta.test/0.png" }

describe.each([
  { name: "Completed", Outcome: Generation.Completed },
  { name: "Generation", Outcome: Generation.Generation }
])("$name", ({ Outcome }) => {
  it.effect("knows the number of requested images, also without the request", () =>
    Effect.gen(function* () {
      const request = yield* Arta.prepare({ prompt: "a fox", n: 4 })
      const outcome = { recordId: recordId("rec"), images: [image], elapsed: Duration.zero, missing: 1 } as const
      expect(new Outcome({ ...outcome, request }).requested).toBe(4)
      expect(new Outcome(outcome).requested).toBe(2)
    })
  )
})
