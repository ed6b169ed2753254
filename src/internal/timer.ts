import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as MutableRef from "effect/MutableRef"
import { unsafeMonotonicMillis } from "./clock.js"
import { weaklyKeyed } from "./weaklyKeyed.js"

/** The timers that run on one clock. A fiber sleeps until the first of them is over. */
class Watch {
  readonly #timers = new Set<Timer>()
  #first: Timer | undefined
  #sleeper: Fiber.RuntimeFiber<void> | undefined

  constructor(readonly clock: Clock.Clock) {}

  now() {
    return unsafeMonotonicMillis(this.clock)
  }

  add(timer: Timer) {
    this.#timers.add(timer)
    if (this.#first === undefined || timer.due < this.#first.due) this.#sleepUntil(timer)
  }

  remove(timer: Timer) {
    this.#timers.delete(timer)
    if (this.#timers.size === 0) this.#stop()
  }

  #sleepUntil(timer: Timer) {
    this.#stop()
    this.#first = timer
    const pause = this.clock.sleep(Duration.millis(timer.due - this.now()))
    const wake = Effect.sync(() => {
      this.#expireOverdue()
    })
    this.#sleeper = Effect.runFork(Effect.zipRight(pause, wake), { scheduler: timer.fiber.currentScheduler })
  }

  #expireOverdue() {
    const now = this.now()
    let first: Timer | undefined
    this.#first = this.#sleeper = undefined
    for (const timer of this.#timers) {
      if (timer.due > now) {
        if (first === undefined || timer.due < first.due) first = timer
        continue
      }
      this.#timers.delete(timer)
      timer.isOver = true
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

/** Interrupts a fiber when its time is over. */
export class Timer {
  isOver = false
  readonly due: number
  readonly #watch: Watch

  /** Starts at once, and is due when the budget is used up. */
  constructor(
    readonly fiber: Fiber.RuntimeFiber<unknown, unknown>,
    readonly budget: MutableRef.MutableRef<number>
  ) {
    this.#watch = watchOf(Context.get(fiber.currentDefaultServices, Clock.Clock))
    this.due = this.#watch.now() + budget.current
    this.#watch.add(this)
  }

  /** Stops, and stores in the budget how many milliseconds are left. */
  stop() {
    this.#watch.remove(this)
    MutableRef.set(this.budget, this.due - this.#watch.now())
  }
}
