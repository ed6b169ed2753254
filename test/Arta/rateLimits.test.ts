import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import type { Fiber } from "effect"
import { Effect, Exit, Layer, Stream } from "effect"
import * as fc from "effect/FastCheck"
import { Arta, ArtaApi, Auth, GenerateRequest, Generation, Polling } from "effect-arta"
import { oracleLags, simulate } from "../../bench/pacing/simulate.js"
import { virtualTime } from "../support/controlledTime.js"
import type { Limit } from "../support/limitedService.js"
import { limitedService } from "../support/limitedService.js"
import { runs, seed } from "../support/suite.js"

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length
const second = 1_000
const minute = 60 * second

/** A program whose service has a limit that can change, in virtual time. */
const makeWorld = (changes: Partial<Limit> = {}) => {
  const limit = { kind: "sliding window" as const, retryAfter: false, interval: second, ...changes }
  const time = virtualTime(1)
  const { client, received } = limitedService(limit)
  const built = time.start(
    ArtaApi.make().pipe(
      Effect.provide(Layer.merge(Auth.layerToken("token"), Layer.succeed(HttpClient.HttpClient, client)))
    )
  )
  const exit = built.unsafePoll()
  if (exit === null || Exit.isFailure(exit)) throw new Error("The service was not built at once.")
  const api = exit.value
  const start = <A, E>(effect: Effect.Effect<A, E, ArtaApi.ArtaApi>) =>
    time.start(Effect.provideService(effect, ArtaApi.ArtaApi, api))
  const poll = () => start(api.status(Generation.RecordId.make("unknown")))
  const submit = (prompt: string) => start(api.submit(new GenerateRequest.GenerateRequest({ prompt, seed: 1 })))
  const pass = (millis: number) => {
    time.pass(millis, () => undefined)
  }
  /** Lets the limiter learn the limit. */
  const learn = () => {
    poll()
    poll()
    pass(second)
    poll()
    pass(2 * second)
  }
  return { api, time, limit, received, start, poll, submit, pass, learn }
}

const hasEnded = (fiber: Fiber.RuntimeFiber<unknown, unknown>) => fiber.unsafePoll() !== null

describe("Generations that share the rate limit of a token", () => {
  // fault: Submit | The service accepts one request a second per token | all images, at most a tenth of the requests refused
  it.each<[number, Limit["kind"], boolean, number]>([
    [4, "token bucket", true, 3.5],
    [4, "sliding window", false, 4],
    [20, "token bucket", true, 1.3],
    [20, "sliding window", false, 1.3],
    [60, "sliding window", true, 1.3],
    [60, "token bucket", false, 1.3]
  ])("see their images soon: %d, %s, Retry-After: %s", (count, kind, retryAfter, mostLag) => {
    const limit = { kind, retryAfter, interval: second }
    const result = simulate(limit, count, 2)
    expect(result.failed).toBe(0)
    expect(result.laterRefused).toBeLessThanOrEqual(0.1 * result.laterRequests)
    expect(mean(result.lags) / mean(oracleLags(limit, count))).toBeLessThanOrEqual(mostLag)
  })

  // fault: Poll | A generation that never ends is polled often, while others wait for the rate limit | nothing
  it("are not held up by one that never ends", () => {
    const { learn, pass, start } = makeWorld()
    learn()
    start(Arta.resume("unknown", { polling: Polling.fixed("100 millis"), timeout: "1 hour" }))
    const others = start(
      Stream.runCollect(Arta.generateAll([{ prompt: "a fox" }, { prompt: "a hare" }], { concurrency: 2 }))
    )
    pass(2 * minute)
    expect(hasEnded(others)).toBe(true)
  })
})

describe("A rate limit", () => {
  it("delays no request before the first refusal", () => {
    const { pass, poll, received } = makeWorld({ interval: 0 })
    for (let i = 0; i < 100; i++) poll()
    pass(100)
    expect(received.filter(({ refused }) => !refused)).toHaveLength(100)
  })

  // fault: Poll | The service lifts its rate limit | nothing
  it("is forgotten after ten minutes without a refusal", () => {
    const { learn, limit, pass, poll, received } = makeWorld()
    learn()
    limit.interval = 0
    pass(10 * minute)
    const before = received.length
    for (let i = 0; i < 100; i++) poll()
    pass(100)
    expect(received.length - before).toBe(100)
  })

  it("is forgotten within four minutes if the service lifts it while requests wait", () => {
    const { learn, limit, pass, poll } = makeWorld()
    learn()
    const polls = Array.from({ length: 400 }, () => poll())
    pass(minute / 2)
    limit.interval = 0
    pass(4 * minute)
    expect(polls.every(hasEnded)).toBe(true)
  })

  // fault: Submit | The service lowers its rate limit | all requests sent, most accepted at once
  it("is learned again if the service lowers it", () => {
    const { learn, limit, pass, poll, received } = makeWorld()
    learn()
    limit.interval = 4 * second
    const polls = Array.from({ length: 40 }, () => poll())
    pass(5 * minute)
    expect(polls.filter(hasEnded)).toHaveLength(40)
    const later = received.slice(-20)
    expect(later.filter(({ refused }) => refused).length).toBeLessThanOrEqual(2)
  })

  it("lets submissions pass before polls, in the order of the calls", () => {
    const { learn, pass, poll, received, submit } = makeWorld()
    learn()
    const before = received.length
    poll()
    poll()
    poll()
    submit("first")
    submit("second")
    pass(10 * second)
    expect(received.slice(before).map(({ about }) => about)).toEqual([
      "unknown",
      "first",
      "second",
      "unknown",
      "unknown"
    ])
  })

  // fault: Submit | A long Retry-After arrives while a submission waits for its turn | `RateLimitedError` at once
  it("fails a waiting submission if the service asks for a long silence", () => {
    const { learn, limit, pass, poll, received, submit } = makeWorld({ retryAfter: true })
    learn()
    limit.interval = minute
    poll()
    poll()
    poll()
    const waiting = submit("a fox")
    pass(2 * second)
    expect(waiting.unsafePoll()).toMatchObject({
      cause: { error: { _tag: "RateLimitedError", operation: "submit" } }
    })
    expect(received.filter(({ about }) => about === "a fox")).toEqual([])
  })

  it("reports a submission that waits for its turn until the timeout as not submitted", () => {
    const { learn, pass, poll, received, start } = makeWorld()
    learn()
    for (let i = 0; i < 5; i++) start(Effect.ignore(Arta.submit({ prompt: "others" })))
    poll()
    const late = start(Effect.flip(Arta.submit({ prompt: "late" }, { timeout: "2 seconds" })))
    pass(3 * second)
    expect(late.unsafePoll()).toMatchObject({ value: { _tag: "GenerationTimeoutError" } })
    expect(late.unsafePoll()).not.toMatchObject({ value: { request: {} } })
    pass(minute)
    expect(received.filter(({ about }) => about === "late")).toEqual([])
  })

  // fault: Poll | Calls that wait for the rate limit are interrupted | nothing: the others go on
  it("holds up no call if others are interrupted", () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 1_500 }),
      action: fc.constantFrom("poll", "submit", "interrupt"),
      which: fc.nat()
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), fc.boolean(), (steps, retryAfter) => {
        const { learn, pass, poll, submit, time } = makeWorld({ retryAfter })
        learn()
        const calls: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
        for (const { action, wait, which } of steps) {
          const call = calls[which % Math.max(1, calls.length)]
          if (action === "interrupt" && call !== undefined) time.start(call.interruptAsFork(call.id()))
          if (action === "poll") calls.push(poll())
          if (action === "submit") calls.push(submit("a fox"))
          pass(wait)
        }
        const left = calls.filter((call) => !hasEnded(call)).length
        // An interval has at most a tenth more than a second, and one request may be refused.
        pass((left + 3) * 1.25 * second)
        expect(calls.filter((call) => !hasEnded(call))).toEqual([])
      }),
      { numRuns: runs({ quick: 60, full: 1_000 }), seed }
    )
  })
})
