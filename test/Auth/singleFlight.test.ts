import { describe, expect, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Ref, Scope, TestClock } from "effect"
import { makeSingleFlight } from "../../src/internal/identity/singleFlight.js"

const backoffAfter = (error: string) => (error === "slow down" ? Duration.seconds(30) : Duration.seconds(5))

/** A single flight, and an effect that counts its runs and ends when the test says how. */
const setUp = Effect.gen(function* () {
  const flight = yield* makeSingleFlight<number, string>(backoffAfter)
  const runs = yield* Ref.make(0)
  const outcome = yield* Ref.make(yield* Deferred.make<number, string>())
  const effect = Effect.zipRight(
    Ref.update(runs, (n) => n + 1),
    Effect.flatMap(Ref.get(outcome), Deferred.await)
  )
  const finish = (exit: Exit.Exit<number, string>) =>
    Effect.gen(function* () {
      const next = yield* Deferred.make<number, string>()
      yield* Deferred.done(yield* Ref.getAndSet(outcome, next), exit)
    })
  return { flight, effect, finish, runs: Ref.get(runs) }
})

const settle = Effect.repeatN(Effect.yieldNow(), 50)

describe("A single flight", () => {
  it.scoped("runs once for fifty callers, and gives all of them its value", () =>
    Effect.gen(function* () {
      const { effect, finish, flight, runs } = yield* setUp
      const callers = yield* Effect.forkAll(Array.from({ length: 50 }, () => flight.run(effect)))
      yield* settle
      yield* finish(Exit.succeed(7))
      expect(new Set(yield* Fiber.join(callers))).toEqual(new Set([7]))
      expect(yield* runs).toBe(1)
    })
  )

  it.scoped("fails all callers with the one failure, and runs again for the next caller", () =>
    Effect.gen(function* () {
      const { effect, finish, flight, runs } = yield* setUp
      const callers = yield* Effect.forkAll(Array.from({ length: 50 }, () => Effect.flip(flight.run(effect))))
      yield* settle
      yield* finish(Exit.fail("refused"))
      expect(new Set(yield* Fiber.join(callers))).toEqual(new Set(["refused"]))
      expect(yield* runs).toBe(1)

      const next = yield* Effect.fork(flight.run(effect))
      yield* settle
      yield* finish(Exit.succeed(8))
      expect(yield* Fiber.join(next)).toBe(8)
      expect(yield* runs).toBe(2)
    })
  )

  it.scoped("goes on when a caller is interrupted", () =>
    Effect.gen(function* () {
      const { effect, finish, flight, runs } = yield* setUp
      const first = yield* Effect.fork(flight.run(effect))
      yield* settle
      const second = yield* Effect.fork(flight.run(effect))
      yield* settle
      yield* Fiber.interrupt(first)
      yield* finish(Exit.succeed(9))
      expect(yield* Fiber.join(second)).toBe(9)
      expect(yield* runs).toBe(1)
    })
  )

  it.effect("ends with its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { effect, flight } = yield* Scope.extend(setUp, scope)
      const caller = yield* Effect.fork(flight.run(effect))
      yield* settle
      yield* Scope.close(scope, Exit.void)
      expect(Exit.isInterrupted(yield* Fiber.await(caller))).toBe(true)
    })
  )

  it.scoped("starts no run in the background during the backoff after a failure", () =>
    Effect.gen(function* () {
      const { effect, finish, flight, runs } = yield* setUp
      yield* flight.runInBackground(effect)
      yield* settle
      yield* finish(Exit.fail("slow down"))
      yield* settle
      yield* TestClock.adjust("10 seconds")
      expect(yield* flight.backoff).toEqual({ reason: "slow down", left: Duration.seconds(20) })
      yield* flight.runInBackground(effect)
      yield* settle
      expect(yield* runs).toBe(1)

      yield* TestClock.adjust("20 seconds")
      expect(yield* flight.backoff).toBeUndefined()
      yield* flight.runInBackground(effect)
      yield* settle
      expect(yield* runs).toBe(2)
    })
  )

  it.scoped("forgets the backoff after a success", () =>
    Effect.gen(function* () {
      const { effect, finish, flight } = yield* setUp
      for (const exit of [Exit.fail("slow down"), Exit.succeed(1)]) {
        const caller = yield* Effect.fork(Effect.exit(flight.run(effect)))
        yield* settle
        yield* finish(exit)
        yield* Fiber.join(caller)
      }
      expect(yield* flight.backoff).toBeUndefined()
    })
  )
})
