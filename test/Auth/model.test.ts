import { expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { setImmediate } from "node:timers/promises"
import type { AuthWorld } from "../support/authWorld.js"
import { authWorld } from "../support/authWorld.js"
import type { Rotation } from "../support/identityServer.js"
import { faults } from "../support/identityServer.js"
import { runs, seed } from "../support/suite.js"

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** One step of a run. A failing run prints its name. */
interface Step {
  readonly toString: () => string
  readonly happen: (world: AuthWorld) => void
}

const step = <Given extends ReadonlyArray<unknown>>(
  weight: number,
  happen: (world: AuthWorld, ...given: Given) => void,
  name: string,
  ...given: { readonly [Index in keyof Given]: fc.Arbitrary<Given[Index]> }
): fc.WeightedArbitrary<Step> => ({
  weight,
  arbitrary: fc.tuple<Array<Given[number]>>(...given).map((values) => ({
    toString: () => `${name}(${values.map((value) => fc.stringify(value)).join(", ")})`,
    happen: (world) => {
      happen(world, ...(values as unknown as Given))
    }
  }))
})

const program = fc.constantFrom<Array<0 | 1>>(0, 1)
const times = fc.integer({ min: 1, max: 4 })
const moment = fc.constantFrom(second / 2, second, 2 * second, 5 * second, 15 * second)
const longTime = fc.constantFrom(minute, 40 * minute, 3 * hour)
const change = fc.constantFrom(-12 * hour, -2 * hour, -10 * minute, 10 * minute, 2 * hour, 12 * hour)
const refused = fc.oneof(fc.constantFrom("last" as const, "unknown" as const), fc.integer({ min: 1, max: 5 }))
const rotation = fc.constantFrom<Array<Rotation>>("keep", "omit", "rotate")

/** Some runs start with a session, so that faults of existing sessions occur more often. */
const beginning = fc.record({ rotate: rotation, isSignedIn: fc.boolean(), pass: fc.constantFrom(0, 40 * minute) })

const steps: fc.Arbitrary<ReadonlyArray<Step>> = fc.array(
  fc.oneof(
    step(
      6,
      (world, which: 0 | 1, n: number) => {
        world.token(which, n)
      },
      "token",
      program,
      times
    ),
    step(
      2,
      (world, which: 0 | 1, n: number) => {
        world.use(which, n)
      },
      "use",
      program,
      times
    ),
    step(
      3,
      (world, which: 0 | 1, token: "last" | "unknown" | number, n: number) => {
        world.renew(which, token, n)
      },
      "renew",
      program,
      refused,
      times
    ),
    step(
      8,
      (world, millis: number) => {
        world.pass(millis)
      },
      "pass",
      moment
    ),
    step(
      5,
      (world, millis: number) => {
        world.pass(millis)
      },
      "pass",
      longTime
    ),
    step(
      2,
      (world, millis: number) => {
        world.setWall(millis)
      },
      "setClock",
      change
    ),
    step(4, (world, fault, n: number) => world.server.inject(fault, n), "fault", fc.constantFrom(...faults), times),
    step(
      1,
      (world, how: Rotation) => {
        world.server.rotate(how)
      },
      "rotate",
      rotation
    ),
    step(
      1,
      (world) => {
        world.server.expireIdTokens()
      },
      "expireIdTokens"
    ),
    step(
      1,
      (world) => {
        world.server.forgetSessions()
      },
      "forgetSessions"
    ),
    step(
      1,
      (world, nth: number) => {
        world.interrupt(nth)
      },
      "interrupt",
      fc.nat({ max: 5 })
    ),
    step(
      2,
      (world, which: 0 | 1) => {
        world.restart(which)
      },
      "restart",
      program
    ),
    step(
      1,
      (world, which: 0 | 1) => {
        world.signOut(which)
      },
      "signOut",
      program
    )
  ),
  { maxLength: 30, size: "max" }
)

// fault: Sessions | Any mixture of the faults of a session | good tokens only, and the session is kept
// A thousand runs take ten seconds on an idle machine.
it.each(["an HttpClient", "undici"] as const)(
  "Auth returns only valid tokens and keeps its session through any sequence of faults, over %s",
  { timeout: 300_000 },
  async (transport) => {
    await fc.assert(
      fc.asyncProperty(beginning, steps, fc.nat(), async (start, history, random) => {
        // The runs never yield to the event loop, and the test runner must report from time to time.
        await setImmediate()
        const world = authWorld(random, transport)
        world.server.rotate(start.rotate)
        if (start.isSignedIn) world.token(0, 1)
        world.pass(start.pass)
        for (const each of history) {
          each.happen(world)
          if (world.violations.length > 0) break
        }
        world.recover()
        const violations = world.violations.join("\n")
        expect(violations, violations).toBe("")
      }),
      { numRuns: runs({ quick: 50, full: 250, nightly: 1_000 }), seed }
    )
  }
)
