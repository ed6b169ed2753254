import type { Fiber } from "effect"
import { Clock, Duration, Effect, Random, Scheduler } from "effect"

interface Sleeper {
  readonly due: number
  readonly wake: () => void
}

/**
 * Fibers and clocks that advance only on request. Unlike `TestClock`, it uses no promises: when a call returns, every
 * fiber has run as far as it can, within microseconds and always in the same order.
 */
export const virtualTime = (seed: unknown) => {
  const scheduler = new Scheduler.ControlledScheduler()
  const random = Random.make(seed)
  const sleepers: Array<Sleeper> = []
  // The wall clock can be set. The monotonic clock cannot.
  let wall = Date.UTC(2024, 0, 1)
  let elapsed = 0

  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => wall,
    unsafeCurrentTimeNanos: () => BigInt(Math.floor(elapsed * 1_000_000)),
    currentTimeMillis: Effect.sync(() => wall),
    currentTimeNanos: Effect.sync(() => BigInt(Math.floor(elapsed * 1_000_000))),
    sleep: (duration) =>
      Effect.async((resume) => {
        const sleeper = {
          due: elapsed + Duration.toMillis(duration),
          wake: () => {
            resume(Effect.void)
          }
        }
        const later = sleepers.findIndex(({ due }) => due > sleeper.due)
        sleepers.splice(later === -1 ? sleepers.length : later, 0, sleeper)
        return Effect.sync(() => {
          const index = sleepers.indexOf(sleeper)
          if (index !== -1) sleepers.splice(index, 1)
        })
      })
  }

  /** Lets every fiber run until it waits for time to pass. */
  const settle = () => {
    for (let steps = 0; scheduler.tasks.buckets.length > 0; steps++) {
      if (steps > 10_000) throw new Error("The fibers never settle.")
      scheduler.step()
    }
  }

  const moveTo = (instant: number) => {
    wall += instant - elapsed
    elapsed = instant
  }

  const fork = <A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> =>
    Effect.runFork(Effect.withRandom(Effect.withClock(effect, clock), random), { scheduler })

  return {
    wall: () => wall,
    elapsed: () => elapsed,

    /** How many fibers sleep. */
    sleeping: () => sleepers.length,

    setWall: (time: number) => {
      wall = time
    },

    /** Starts an effect while others run. */
    fork,

    /** Starts an effect and runs it until it waits for the clock. */
    start: <A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> => {
      const fiber = fork(effect)
      settle()
      return fiber
    },

    /** Starts effects together, before any of them runs. */
    startAll: <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>): ReadonlyArray<Fiber.RuntimeFiber<A, E>> => {
      const fibers = effects.map(fork)
      settle()
      return fibers
    },

    /** Advances the clocks one event at a time, and calls `look` after each event. */
    pass: (millis: number, look: () => void) => {
      const end = elapsed + millis
      for (let next = sleepers[0]; next !== undefined && next.due <= end; next = sleepers[0]) {
        sleepers.shift()
        moveTo(next.due)
        next.wake()
        settle()
        look()
      }
      moveTo(end)
    }
  }
}

export type VirtualTime = ReturnType<typeof virtualTime>
