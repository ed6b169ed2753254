import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer } from "effect"
import { ArtaApi, Auth, Generation } from "effect-arta"
import { virtualTime } from "../support/controlledTime.js"
import { makeResponse } from "../support/response.js"

const second = 1_000
const limit = 15 * second

type Response = ReturnType<typeof makeResponse>

/** What an HTTP client does with its nth request. */
type Behavior = (respond: Effect.Effect<Response>, nth: number) => Effect.Effect<Response>

const silence: Behavior = () => Effect.never

const makeApi = (behave: Behavior) => {
  let requests = 0
  const client = HttpClient.make((request) => {
    requests += 1
    const queued = Effect.succeed(JSON.stringify({ status: "IN_QUEUE" }))
    return behave(Effect.succeed(makeResponse(request, { status: 200 }, queued)), requests - 1)
  })
  const layer = ArtaApi.layer().pipe(
    Layer.provide([Auth.layerToken("token"), Layer.succeed(HttpClient.HttpClient, client)])
  )
  return Effect.runSync(Effect.scoped(Effect.map(Layer.build(layer), Context.get(ArtaApi.ArtaApi))))
}

/** Polls in a time of its own, and records when each poll ended and how. */
const pollsIn = (time: ReturnType<typeof virtualTime>, api: ArtaApi.Service) => {
  const ends: Array<readonly [after: number, result: string]> = []
  const poll = (name = "rec") => {
    const startedAt = time.elapsed()
    return time.start(
      Effect.either(api.status(Generation.RecordId.make(name))).pipe(
        Effect.map((result) => {
          ends.push([time.elapsed() - startedAt, result._tag === "Right" ? result.right._tag : result.left.message])
        })
      )
    )
  }
  const pass = (millis: number) => {
    time.pass(millis, () => undefined)
  }
  return { ends, poll, pass, time }
}

const start = (behave: Behavior) => pollsIn(virtualTime("limits"), makeApi(behave))

const overdue = expect.stringContaining("no response within 15s") as string

describe("The time limit of a poll", () => {
  // fault: Poll | A thousand requests at once, and two of three get no response | each ends after its own 15 seconds
  it("is its own among a thousand", { timeout: 60_000 }, () => {
    const { ends, pass, poll } = start((respond, nth) =>
      nth % 3 === 0 ? Effect.delay(respond, 5 * second) : silence(respond, nth)
    )
    for (let nth = 0; nth < 1_000; nth += 1) {
      poll(`rec-${String(nth)}`)
      pass((nth * 7) % 40)
    }
    pass(limit)
    const answered = ends.filter(([, result]) => result === "Queued")
    expect(new Set(answered.map(([after]) => after))).toEqual(new Set([5 * second]))
    expect(answered).toHaveLength(334)
    const others = ends.filter(([, result]) => result !== "Queued")
    expect(new Set(others.map(([after]) => after))).toEqual(new Set([limit]))
    expect(others).toHaveLength(666)
  })

  // fault: Poll | A response arrives at the very moment of the time limit | one outcome
  it.each<[string, Behavior, string]>([
    // The first poll makes the limits be looked at again in between.
    ["just before", (respond, nth) => (nth === 0 ? Effect.never : Effect.delay(respond, limit)), "Queued"],
    ["just after", (respond) => Effect.delay(Effect.delay(respond, second / 2), limit - second / 2), overdue]
  ])("gives one outcome if the response arrives %s", (_, behave, outcome) => {
    const { ends, pass, poll } = start(behave)
    poll()
    pass(second)
    poll()
    pass(3 * limit)
    expect(ends).toEqual([
      [limit, overdue],
      [limit, outcome]
    ])
  })

  // fault: Poll | The poll is interrupted while its client takes time to clean up | the interruption waits for it
  it("waits for the client to clean up after an interruption, and after itself", () => {
    const cleanedUp: Array<string> = []
    const { ends, pass, poll, time } = start(() =>
      Effect.onInterrupt(Effect.never, () =>
        Effect.delay(
          Effect.sync(() => cleanedUp.push("cleaned up")),
          2 * second
        )
      )
    )
    const interrupted = poll()
    pass(second)
    time.start(Fiber.interruptFork(interrupted))
    pass(second)
    expect(interrupted.unsafePoll()).toBeNull()
    expect(cleanedUp).toEqual([])
    pass(second)
    expect(interrupted.unsafePoll()).toSatisfy(Exit.isInterrupted)
    expect(cleanedUp).toHaveLength(1)

    poll()
    pass(limit + second)
    expect(ends).toEqual([])
    pass(second)
    expect(ends).toEqual([[limit + 2 * second, overdue]])
    expect(cleanedUp).toHaveLength(2)
  })

  it("is measured by the clock of its caller", () => {
    const api = makeApi(silence)
    const [one, other] = [pollsIn(virtualTime("one"), api), pollsIn(virtualTime("other"), api)]
    one.poll()
    other.poll()
    one.pass(limit)
    expect([one.ends.length, other.ends.length]).toEqual([1, 0])
    other.pass(limit - 1)
    expect(other.ends).toEqual([])
    other.pass(1)
    expect(other.ends).toEqual([[limit, overdue]])
  })

  it("is that of the monotonic clock", () => {
    const time = virtualTime("limits")
    const { ends, pass, poll } = pollsIn(time, makeApi(silence))
    poll()
    time.setWall(time.wall() + 3_600 * second)
    pass(second)
    expect(ends).toEqual([])
    time.setWall(time.wall() - 7_200 * second)
    pass(limit - second)
    expect(ends).toEqual([[limit, overdue]])
  })

  it("keeps no timer once the poll has ended", () => {
    const { ends, pass, poll, time } = start((respond) => Effect.delay(respond, 5 * second))
    poll()
    pass(5 * second)
    expect(ends).toEqual([[5 * second, "Queued"]])
    expect(time.sleeping()).toBe(0)
  })
})
