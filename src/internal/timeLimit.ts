import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Option from "effect/Option"
import { unsafeMonotonicMillis } from "./clock.js"
import { weaklyKeyed } from "./weaklyKeyed.js"

interface Limit {
  readonly due: number
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  isOver: boolean
}

/** The limits of all effects on one clock. A fiber sleeps until the first of them is over. */
class Watch {
  readonly #limits = new Set<Limit>()
  #first: Limit | undefined
  #sleeper: Fiber.RuntimeFiber<void> | undefined

  add(limit: Limit, clock: Clock.Clock) {
    this.#limits.add(limit)
    if (this.#first === undefined || limit.due < this.#first.due) this.#sleepUntil(limit, clock)
  }

  remove(limit: Limit) {
    this.#limits.delete(limit)
    if (this.#limits.size === 0) this.#stop()
  }

  #sleepUntil(limit: Limit, clock: Clock.Clock) {
    this.#stop()
    this.#first = limit
    const pause = clock.sleep(Duration.millis(limit.due - unsafeMonotonicMillis(clock)))
    const wake = Effect.sync(() => {
      this.#interruptOverdue(clock)
    })
    this.#sleeper = Effect.runFork(Effect.zipRight(pause, wake), { scheduler: limit.fiber.currentScheduler })
  }

  #interruptOverdue(clock: Clock.Clock) {
    const now = unsafeMonotonicMillis(clock)
    let first: Limit | undefined
    this.#first = this.#sleeper = undefined
    for (const limit of this.#limits) {
      if (limit.due > now) {
        if (first === undefined || limit.due < first.due) first = limit
        continue
      }
      limit.isOver = true
      this.#limits.delete(limit)
      limit.fiber.unsafeInterruptAsFork(FiberId.none)
    }
    if (first !== undefined) this.#sleepUntil(first, clock)
  }

  #stop() {
    this.#sleeper?.unsafeInterruptAsFork(FiberId.none)
    this.#first = this.#sleeper = undefined
  }
}

const watchOf = weaklyKeyed(() => new Watch())

/**
 * Runs an effect in a fiber of its own, interrupted after the duration: then the result is none. `Effect.timeoutOption`
 * forks two fibers for each effect, and a thousand effects may wait at once. Changes of fiber refs are lost.
 *
 * The fiber is a daemon: an interruption reaches a child fiber at once, even if its parent is uninterruptible.
 */
export const limitTime = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  duration: Duration.Duration
): Effect.Effect<Option.Option<A>, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(restore(effect)), (fiber) =>
      Effect.clockWith((clock) => {
        const watch = watchOf(clock)
        const limit: Limit = { due: unsafeMonotonicMillis(clock) + Duration.toMillis(duration), fiber, isOver: false }
        watch.add(limit, clock)
        const ended = Effect.async<Exit.Exit<A, E>>((resume) => {
          fiber.addObserver((exit) => {
            resume(Effect.succeed(exit))
          })
        })
        return Effect.matchCauseEffect(restore(ended), {
          onFailure: (cause) => {
            watch.remove(limit)
            return Effect.zipRight(Fiber.interrupt(fiber), Effect.failCause(cause))
          },
          onSuccess: (exit) => {
            watch.remove(limit)
            return limit.isOver && Exit.isInterrupted(exit) ? Effect.succeedNone : Effect.asSome(exit)
          }
        })
      })
    )
  )
