import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { onPort, timeout } from "../../support/commandWorld.js"
import { textOf, until, world } from "../../support/mcpWorld.js"

const fox = { prompt: "a fox", seed: 7 }

// Each of these waits for a real timeout of ten seconds or more, so only the full suite runs them.
describe.concurrent("effect-arta mcp on a service that does not respond", { timeout }, () => {
  // fault: Submit | the service does not respond to the submission of an MCP tool for as long as a client waits | told to check, and not sent again
  it.scopedLive("hands back before the service has responded, and submits nothing again", () =>
    Effect.gen(function* () {
      const { check, emulator, generate, submissions } = yield* world({ patience: "200 millis" })
      yield* emulator.inject(Fault.hang("submit"))
      yield* until(Effect.map(generate(fox), (result) => textOf(result).includes("may have accepted it")))
      expect(textOf(yield* generate(fox))).toMatch(/without a recordId/)
      expect((yield* check()).structuredContent?.generations).toMatchObject([{ isRunning: true, isSaved: false }])
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )

  // fault: Process | an MCP client cancels a call before its request is sent | nothing is submitted
  it.scopedLive("submits nothing for a call that is cancelled during the sign-up", () =>
    Effect.gen(function* () {
      const { cancelled, check, emulator, generate, submissions } = yield* world()
      yield* emulator.inject(Fault.hang("signUp"))
      const isSigningUp = Effect.map(emulator.counts, ({ signUp }) => signUp > 0)
      yield* cancelled(fox, until(isSigningUp))
      yield* until(
        Effect.map(check(), ({ structuredContent }) =>
          (structuredContent?.generations ?? []).every(({ isRunning }) => !isRunning)
        )
      )
      expect(yield* submissions).toBe(0)
      expect((yield* generate({ ...fox, seed: 8 })).structuredContent?.status).toBe("saved")
      expect(yield* submissions).toBe(1)
    }).pipe(onPort())
  )
})
