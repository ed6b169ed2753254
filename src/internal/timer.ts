import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import { unsafeMonotonicMillis } from "./clock.js"
import { weaklyKeyed } from "./weaklyKeyed.js"

interface RunningTimer {
  readonly due: number
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  readonly expire: () => void
}

/** The timers that run on one clock. A fiber sleeps until the first of them is over. */
class Watch {
  readonly #timers = new Set<RunningTimer>()
  #first: RunningTimer | undefined
  #sleeper: Fiber.RuntimeFiber<void> | undefined

  constructor(readonly clock: Clock.Clock) {}

  add(timer: RunningTimer) {
    this.#timers.add(timer)
    if (this.#first === undefined || timer.due < this.#first.due) this.#sleepUntil(timer)
  }

  remove(timer: RunningTimer) {
    this.#timers.delete(timer)
    if (this.#timers.size === 0) this.#stop()
  }

  #sleepUntil(timer: RunningTimer) {
    this.#stop()
    this.#first = timer
    const pause = this.clock.sleep(Duration.millis(timer.due - unsafeMonotonicMillis(this.clock)))
    const wake = Effect.sync(() => {
      this.#expireOverdue()
    })
    this.#sleeper = Effect.runFork(Effect.zipRight(pause, wake), { scheduler: timer.fiber.currentScheduler })
  }

  #expireOverdue() {
    const now = unsafeMonotonicMillis(this.clock)
    let first: RunningTimer | undefined
    this.#first = this.#sleeper = undefined
    for (const timer of this.#timers) {
      if (timer.due > now) {
        if (first === undefined || timer.due < first.due) first = timer
        continue
      }
      this.#timers.delete(timer)
      timer.expire()
      timer.fiber.unsafeInterruptAsFork(FiberId.none)
    }
    if (first !== undefined) this.#sleepUntil(first)
  }

  #stop() {
    this.#sleeper?.unsafeInterruptAsFork(FiberId.none)
    this.#first = this.#sleeper = undefined
  }
}

const watchOf = weaklyKeyed((clock: Clock.Clock) => new Watch(clock))

/** Interrupts the fiber that started it when its time is over. */
export class Timer<A, E> {
  /** What to do instead of the effect. Undefined until the time is over. */
  timedOut: Effect.Effect<A, E> | undefined
  stop: () => void = constVoid

  /**
   * Starts the timer, for so many milliseconds. If there are none left, the effect does not go on.
   */
  start(millis: number, onTimeout: Effect.Effect<A, E>): Effect.Effect<void> {
    return Effect.withFiberRuntime((fiber) => {
      const expire = () => {
        this.timedOut = Effect.provide(onTimeout, fiber.currentContext)
      }
      if (millis <= 0) {
        expire()
        return Effect.interrupt
      }
      const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
      const watch = watchOf(clock)
      const timer = { due: unsafeMonotonicMillis(clock) + millis, fiber, expire }
      watch.add(timer)
      this.stop = () => {
        watch.remove(timer)
      }
      return Effect.void
    })
  }
}
