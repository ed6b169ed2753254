import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Schedule, Stream, TestClock } from "effect"
import type { Generation } from "effect-arta"
import { Arta, Polling } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"
import { collect, counts, withEmulator, inject, runToEnd, tags } from "../support/withEmulator.js"

const cat = { prompt: "a cat", seed: 12_345 }

describe("the timeout of a generation", () => {
  it.effect("is five minutes by default", () =>
    Effect.gen(function* () {
      const error = yield* runToEnd(Effect.flip(Arta.run(cat)))
      expect(error).toMatchObject({
        _tag: "GenerationTimeoutError",
        elapsed: Duration.minutes(5),
        lastStatus: "IN_PROGRESS"
      })
    }).pipe(withEmulator({ queueTime: "10 seconds", drawTime: "1 hour" }))
  )

  it.effect("counts from the submission, and the error has the record id", () =>
    Effect.gen(function* () {
      const error = yield* runToEnd(Effect.flip(Arta.run(cat, { timeout: "25 seconds" })))
      expect(error).toMatchObject({
        _tag: "GenerationTimeoutError",
        elapsed: Duration.seconds(25),
        lastStatus: "IN_QUEUE"
      })
      const recordId = error._tag === "GenerationTimeoutError" ? (error.recordId ?? "") : ""
      expect(error.message).toContain(recordId)
      expect(tags(yield* collect(Arta.watch(recordId)))).toEqual(["Completed"])
    }).pipe(withEmulator({ queueTime: "30 seconds" }))
  )

  // fault: Poll | Silence at every poll | `GenerationTimeoutError` with the record id
  it.effect("ends a poll without a response", () =>
    Effect.gen(function* () {
      yield* inject(...Array.from({ length: 30 }, () => Fault.hang("status")))
      const fiber = yield* Effect.fork(Effect.flip(Arta.run(cat, { timeout: "20 seconds" })))
      yield* TestClock.adjust("20 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "GenerationTimeoutError" })
    }).pipe(withEmulator())
  )

  it.effect("ends a submission without a response, which the service may have accepted", () =>
    Effect.gen(function* () {
      yield* inject(Fault.hang("submit"))
      const fiber = yield* Effect.fork(Effect.flip(Arta.run(cat, { timeout: "20 seconds" })))
      yield* TestClock.adjust("20 seconds")
      const error = yield* Fiber.join(fiber)
      expect(error).toMatchObject({ _tag: "GenerationTimeoutError", elapsed: Duration.seconds(20) })
      expect(error.message).toContain("may have accepted the generation")
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(withEmulator())
  )

  it.effect("does not count the time of a slow consumer", () =>
    Effect.gen(function* () {
      const fiber = yield* Arta.generate(cat, { timeout: "20 seconds" }).pipe(
        Stream.tap(() => Effect.sleep("1 minute")),
        collect,
        Effect.fork
      )
      yield* TestClock.adjust("10 minutes")
      expect(tags(yield* Fiber.join(fiber))).toEqual(["Submitted", "Completed"])
    }).pipe(withEmulator())
  )

  // fault: Poll | Every poll fails | `GenerationTimeoutError` with the record id and the reason
  it.effect.each<[string, Fault.Fault, string]>([
    [
      "fails",
      Fault.respond("status", 500, { body: { error: "no GPU" } }),
      "HTTP 500 while requesting the status: no GPU."
    ],
    ["is lost", Fault.drop("status"), "No usable response while requesting the status: the connection failed"],
    ["is limited", Fault.respond("status", 429), "Too many requests while requesting the status"]
  ])("ends polling that always %s", ([, fault, reason]) =>
    Effect.gen(function* () {
      yield* inject(...Array.from({ length: 300 }, () => fault))
      const error = yield* runToEnd(Effect.flip(Arta.run(cat)))
      expect(error).toMatchObject({ _tag: "GenerationTimeoutError", elapsed: Duration.minutes(5) })
      expect("reason" in error ? error.reason : "").toContain(reason)
      expect(error.message).toMatch(
        /\(status unknown\)\. The last poll failed: .*\. The generation \S+ may still finish/
      )
    }).pipe(withEmulator())
  )

  it.effect("forgets a failed poll after one that succeeds", () =>
    Effect.gen(function* () {
      yield* inject(Fault.respond("status", 500))
      const error = yield* runToEnd(Effect.flip(Arta.run(cat)))
      expect(error).toMatchObject({ _tag: "GenerationTimeoutError", lastStatus: "IN_QUEUE" })
      expect(error.message).not.toContain("failed")
    }).pipe(withEmulator({ queueTime: "1 hour" }))
  )
})

describe("the polling of a generation", () => {
  const pollTimes = (polling: Arta.Settings["polling"]) =>
    Effect.gen(function* () {
      const emulator = yield* ArtaEmulator.ArtaEmulator
      yield* runToEnd(Arta.run(cat, polling === undefined ? {} : { polling }))
      const seen = yield* emulator.requests
      const polls = seen.filter(({ operation }) => operation === "status")
      return polls.map(({ at }) => at - (polls[0]?.at ?? 0))
    }).pipe(withEmulator({ queueTime: "4 seconds", drawTime: "11 seconds" }))

  it.effect("uses any schedule", () =>
    Effect.map(pollTimes(Polling.fixed("5 seconds")), (times) => {
      expect(times).toEqual([0, 5_000, 10_000, 15_000])
    })
  )

  it.effect.each<[string, Arta.Settings["polling"]]>([
    ["Polling.fixed", Polling.fixed("5 seconds")],
    ["Polling.exponential", Polling.exponential()],
    ["a schedule of its own", Schedule.spaced("5 seconds")],
    ["a schedule that is made from Polling.adaptive", Schedule.jittered(Polling.adaptive())]
  ])("starts right after the submission with %s", ([, polling]) =>
    Effect.gen(function* () {
      yield* Effect.fork(Arta.run(cat, { polling }))
      yield* TestClock.adjust("0 millis")
      expect(yield* counts).toMatchObject({ submit: 1, status: 1 })
    }).pipe(withEmulator({ queueTime: "1 hour" }))
  )

  it.effect("starts with Polling.adaptive once the generation may have ended", () =>
    Effect.gen(function* () {
      yield* Effect.fork(Arta.run(cat))
      yield* TestClock.adjust("99 millis")
      expect(yield* counts).toMatchObject({ submit: 1, status: 0 })
      yield* TestClock.adjust("400 millis")
      expect(yield* counts).toMatchObject({ submit: 1, status: 1 })
    }).pipe(withEmulator({ queueTime: "1 hour" }), Effect.provide(Polling.layerHistory))
  )

  it.effect("starts at once when a generation is resumed by its id", () =>
    Effect.gen(function* () {
      const { recordId } = yield* Arta.submit(cat)
      yield* Effect.fork(Arta.resume(recordId))
      yield* TestClock.adjust("0 millis")
      expect(yield* counts).toMatchObject({ submit: 1, status: 1 })
    }).pipe(withEmulator({ queueTime: "1 hour" }))
  )

  it.effect("grows from half a second to three seconds with Polling.exponential", () =>
    Effect.gen(function* () {
      const times = yield* pollTimes(Polling.exponential())
      const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
      expect(pauses[0]).toBe(500)
      expect(Math.max(...pauses)).toBe(3_000)
      expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
    })
  )

  it.effect("is adaptive by default", () =>
    Effect.gen(function* () {
      const first = Effect.provide(Polling.layerHistory)
      expect(yield* first(pollTimes(undefined))).toEqual(yield* first(pollTimes(Polling.adaptive())))
    })
  )

  it.effect("uses the options of Polling.exponential", () =>
    Effect.map(pollTimes(Polling.exponential({ initial: "1 second", factor: 2, max: "6 seconds" })), (times) => {
      expect(times).toEqual([0, 1_000, 3_000, 7_000, 13_000, 19_000])
    })
  )

  it.effect("passes each status to the schedule", () =>
    Effect.gen(function* () {
      const byStatus = Schedule.identity<Generation.GenerationStatus>().pipe(
        Schedule.addDelay((status) => (status._tag === "Queued" ? "4 seconds" : "11 seconds"))
      )
      expect(yield* pollTimes(byStatus)).toEqual([0, 4_000, 15_000])
    })
  )

  it.effect("fails the generation when its schedule ends", () =>
    Effect.gen(function* () {
      const polling = Schedule.intersect(Polling.fixed("1 second"), Schedule.recurs(3))
      const error = yield* runToEnd(Effect.flip(Arta.run(cat, { polling })))
      expect(error).toMatchObject({
        _tag: "GenerationTimeoutError",
        elapsed: Duration.seconds(3),
        lastStatus: "IN_QUEUE"
      })
    }).pipe(withEmulator({ queueTime: "1 minute" }))
  )

  // fault: Poll | The fiber is interrupted during polling | no more requests
  it.effect("stops at once when the fiber is interrupted", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Arta.run(cat))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(fiber)
      const { status } = yield* counts
      yield* TestClock.adjust("10 minutes")
      expect(yield* counts).toMatchObject({ submit: 1, status })
    }).pipe(withEmulator({ queueTime: "1 hour" }))
  )

  it.effect("stops at once when the consumer takes no more events", () =>
    Effect.gen(function* () {
      yield* runToEnd(Stream.runDrain(Stream.take(Arta.generate(cat), 2)))
      yield* TestClock.adjust("10 minutes")
      expect(yield* counts).toMatchObject({ submit: 1, status: 1 })
    }).pipe(withEmulator({ queueTime: "1 hour" }))
  )
})
