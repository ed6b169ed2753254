import { describe, expect, it } from "@effect/vitest"
import { Array, Effect } from "effect"
import { Fault } from "effect-arta/testing"
import { batch } from "../../support/batchWorld.js"
import { lines, started } from "../../support/command.js"
import { onPort, timeout } from "../../support/commandWorld.js"

/** A batch that is interrupted once it has submitted its rows. */
const interrupted = (count: number, ...flags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { env, file, images } = yield* batch
    const path = yield* file("p.txt", Array.makeBy(count, (index) => `fox ${String(index)}`).join("\n"))
    const running = yield* started(["batch", path, "-o", images, "--json", ...flags], { env })
    yield* running.wrote(new RegExp(`(Submitted[^]*){${String(count)}}`))
    yield* running.interrupt
    const { code, stderr } = yield* running.ended
    expect(code).toBe(130)
    return lines(stderr).at(-1)
  })

const resume = "Run the same command again to resume. It submits nothing twice."

describe.concurrent("A batch that is interrupted", { timeout }, () => {
  it.scopedLive.each([
    { count: 1, flags: [], goesOn: "The service goes on with 1 generation. " },
    { count: 3, flags: [], goesOn: "The service goes on with 3 generations. " },
    { count: 1, flags: ["--emulator"], goesOn: "" }
  ])("says what the service goes on with: $count, with $flags", ({ count, flags, goesOn }) =>
    Effect.gen(function* () {
      expect(yield* interrupted(count, ...flags)).toBe(`Stopped. ${goesOn}${resume}`)
    }).pipe(onPort({ drawTime: "1 hour" }))
  )

  it.scopedLive("says nothing of the service before it has accepted a row", () =>
    Effect.gen(function* () {
      const { emulator, env, file, images } = yield* batch
      yield* emulator.inject(Fault.respond("submit", 429, { headers: { "retry-after": "30" } }))
      const running = yield* started(["batch", yield* file("p.txt", "a fox\n"), "-o", images], { env })
      yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), emulator.requests), {
        until: (requests) => requests.length === 2
      })
      yield* running.interrupt
      expect(lines((yield* running.ended).stderr).at(-1)).toBe(`Stopped. ${resume}`)
    }).pipe(onPort())
  )
})
