import type { Fiber } from "effect"
import { Clock, Duration, Effect, Random, Scheduler } from "effect"

interface Sleeper {
  readonly due: number
  readonly wake: () => void
}

/**
 * A world whose fibers and clocks move only when they are told to. Unlike under `TestClock`, nothing is a promise: what
 * can run has run when a call returns, within microseconds and in the same order every time.
 */
export const virtualTime = (seed: unknown) => {
  const scheduler = new Scheduler.ControlledScheduler()
  const random = Random.make(seed)
  const sleepers: Array<Sleeper> = []
  // The clock on the wall can be set. The other one cannot.
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
      if (steps > 10_000) throw new Error("The fibers do not come to rest.")
      scheduler.step()
    }
  }

  const moveTo = (instant: number) => {
    wall += instant - elapsed
    elapsed = instant
  }

  return {
    wall: () => wall,
    elapsed: () => elapsed,

    setWall: (time: number) => {
      wall = time
    },

    /** Starts an effect and lets it run as far as it gets without time passing. */
    start: <A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> => {
      const fiber = Effect.runFork(Effect.withRandom(Effect.withClock(effect, clock), random), { scheduler })
      settle()
      return fiber
    },

    /** Starts effects together, before any of them runs. */
    startAll: <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>): ReadonlyArray<Fiber.RuntimeFiber<A, E>> => {
      const fibers = effects.map((effect) =>
        Effect.runFork(Effect.withRandom(Effect.withClock(effect, clock), random), { scheduler })
      )
      settle()
      return fibers
    },

    /** Lets time pass, one event after the other, with a look at the world after each. */
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
