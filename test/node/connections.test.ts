import { describe, expect, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import { faultServer, respond } from "../support/faultServer.js"
import { settle } from "../support/settle.js"
import { poll, submission, until, withSession } from "../support/withSession.js"

/** Sets the wall clock, which counts the age of a connection, and leaves the timers alone. */
const wallClock = Effect.acquireRelease(
  Effect.sync(() => {
    const start = Date.now()
    vi.useFakeTimers({ toFake: ["Date"], now: start })
    return (millis: number) =>
      Effect.zipRight(
        Effect.sync(() => vi.setSystemTime(start + millis)),
        // undici gives a connection back just after it has handed out the response.
        settle
      )
  }),
  () => Effect.sync(() => vi.useRealTimers())
)

const accepted = respond(200, { record_id: "rec" })
const running = respond(200, { status: "IN_PROGRESS" })

// Not concurrent: the clock belongs to the process.
describe("The connections of NodeArta", () => {
  // fault: Submit | A connection is more than a second old, or the clock was set back | the next submission connects again
  it.scopedLive.each([1_001, -1_001])("submits on a new connection after %d ms, and ends the old one", (millis) =>
    Effect.gen(function* () {
      const setClock = yield* wallClock
      const { connections, ports, url } = yield* faultServer({ "/": [accepted] })
      yield* Effect.gen(function* () {
        yield* submission
        yield* setClock(millis)
        yield* submission
        yield* until(() => connections() === 1)
      }).pipe(withSession({ apiUrl: url }))
      expect(new Set(ports).size).toBe(2)
    })
  )

  it.scopedLive.each([1_000, -1_000])("submits on the same connection after %d ms", (millis) =>
    Effect.gen(function* () {
      const setClock = yield* wallClock
      const { ports, url } = yield* faultServer({ "/": [accepted] })
      yield* Effect.zipRight(submission, Effect.zipRight(setClock(millis), submission)).pipe(
        withSession({ apiUrl: url })
      )
      expect(ports).toHaveLength(2)
      expect(new Set(ports).size).toBe(1)
    })
  )

  it.scopedLive("polls on the same connection, which no submission uses", () =>
    Effect.gen(function* () {
      const setClock = yield* wallClock
      const { ports, url } = yield* faultServer({ "/text2image/": [running], "/": [accepted] })
      yield* Effect.gen(function* () {
        yield* poll
        yield* setClock(1_001)
        yield* poll
        yield* submission
      }).pipe(withSession({ apiUrl: url }))
      const [first, second, submitted] = ports
      expect(second).toBe(first)
      expect(submitted).not.toBe(first)
    })
  )
})
