import { describe, expect, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { lines, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

/** A batch of five rows that is interrupted once it has submitted some of them. */
const interrupted = (submitted: number, ...flags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { env, file, images } = yield* batch
    const path = yield* file("p.txt", Array.makeBy(5, (index) => `fox ${String(index)}`).join("\n"))
    const args = ["batch", path, "-o", images, "-c", String(submitted), "--json", ...flags]
    const running = yield* started(args, { env })
    yield* running.wrote(new RegExp(`(Submitted[^]*){${String(submitted)}}`))
    yield* running.interrupt
    const { code, stderr } = yield* running.ended
    expect(code).toBe(130)
    return lines(stderr).at(-1)
  })

const resume = "Run the same command again to resume. It submits nothing twice."

describe.concurrent("A batch that is interrupted", { timeout }, () => {
  it.scopedLive.each([
    { submitted: 1, flags: [], goesOn: "The service goes on with 1 generation. " },
    { submitted: 3, flags: [], goesOn: "The service goes on with 3 generations. " },
    { submitted: 1, flags: ["--emulator"], goesOn: "" }
  ])("says what the service goes on with: $submitted, with $flags", ({ flags, goesOn, submitted }) =>
    Effect.gen(function* () {
      expect(yield* interrupted(submitted, ...flags)).toBe(`Stopped. ${goesOn}${resume}`)
    }).pipe(onPort({ drawTime: "1 hour" }))
  )

  it.scopedLive("says nothing of the service before it has accepted a row", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images } = yield* batch
      yield* emulator.inject(Fault.respond("submit", 429, { headers: { "retry-after": "30" } }))
      const running = yield* started(["batch", yield* file("p.txt", "a fox\n"), "-o", images], { env })
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), emulator.requests), {
        until: (requests) => requests.length >= 2
      })
      yield* running.interrupt
      expect(lines((yield* running.ended).stderr).at(-1)).toBe(`Stopped. ${resume}`)
    }).pipe(onPort())
  )
})
