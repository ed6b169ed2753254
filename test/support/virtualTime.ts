import { Chunk, Duration, Effect, Fiber, Option, TestClock, TestServices } from "effect"

const aMoment = TestServices.provideLive(Effect.sleep("1 millis"))

/** Waits in real time for a condition that depends on a file, a socket, or a promise. */
export const eventually = <E, R>(condition: Effect.Effect<boolean, E, R>, tries = 10_000): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    if (yield* condition) return
    if (tries === 0) return yield* Effect.dieMessage("The condition was never met.")
    yield* aMoment
    yield* eventually(condition, tries - 1)
  })

const isDone = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => Effect.map(Fiber.poll(fiber), Option.isSome)

/** Joins a fiber that only waits for file I/O. */
export const ended = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.zipRight(eventually(isDone(fiber)), Fiber.join(fiber))

interface Passage {
  readonly seconds: number
  readonly sleepers?: number
  readonly step?: number
}

/**
 * Advances the virtual clock in steps, with real time for file I/O in between. A step ends when `sleepers` fibers sleep
 * again or the watched fiber is done. Returns whether it is done.
 */
export const pass = <A, E>(watched: Fiber.RuntimeFiber<A, E>, { seconds, sleepers = 1, step = 0.5 }: Passage) =>
  Effect.gen(function* () {
    const areAsleep = Effect.map(TestClock.sleeps(), (sleeps) => Chunk.size(sleeps) >= sleepers)
    const isOver = Effect.zipWith(isDone(watched), areAsleep, (done, asleep) => done || asleep)
    yield* eventually(isOver)
    for (let passed = 0; passed < seconds; passed += step) {
      yield* TestClock.adjust(Duration.seconds(step))
      yield* eventually(isOver)
    }
    return yield* isDone(watched)
  })
