import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type * as Option from "effect/Option"
import type * as Scheduler from "effect/Scheduler"
import { unsafeMonotonicMillis } from "./clock.js"
import { weaklyKeyed } from "./weaklyKeyed.js"

interface Limit {
  readonly due: number
  readonly fiber: Fiber.RuntimeFiber<unknown, unknown>
  isOver: boolean
}

/** The limits of all effects on one clock. A fiber sleeps until the first of them is due. */
class Watch {
  readonly #limits = new Set<Limit>()
  #sleeper: { readonly due: number; readonly fiber: Fiber.RuntimeFiber<void> } | undefined

  add(limit: Limit, clock: Clock.Clock, scheduler: Scheduler.Scheduler) {
    this.#limits.add(limit)
    if (this.#sleeper !== undefined && this.#sleeper.due <= limit.due) return
    this.#stop()
    this.#sleep(limit.due, clock, scheduler)
  }

  remove(limit: Limit) {
    this.#limits.delete(limit)
    if (this.#limits.size === 0) this.#stop()
  }

  #sleep(due: number, clock: Clock.Clock, scheduler: Scheduler.Scheduler) {
    const pause = clock.sleep(Duration.millis(due - unsafeMonotonicMillis(clock)))
    const ring = Effect.sync(() => {
      this.#ring(clock, scheduler)
    })
    this.#sleeper = { due, fiber: Effect.runFork(Effect.zipRight(pause, ring), { scheduler }) }
  }

  #ring(clock: Clock.Clock, scheduler: Scheduler.Scheduler) {
    const now = unsafeMonotonicMillis(clock)
    this.#sleeper = undefined
    let next = Number.POSITIVE_INFINITY
    for (const limit of this.#limits) {
      if (limit.due > now) next = Math.min(next, limit.due)
      else {
        limit.isOver = true
        this.#limits.delete(limit)
        limit.fiber.unsafeInterruptAsFork(FiberId.none)
      }
    }
    if (next < Number.POSITIVE_INFINITY) this.#sleep(next, clock, scheduler)
  }

  #stop() {
    this.#sleeper?.fiber.unsafeInterruptAsFork(FiberId.none)
    this.#sleeper = undefined
  }
}

const watchOf = weaklyKeyed(() => new Watch())

/**
 * Runs an effect in a fiber of its own, interrupted after the duration: then the result is none. `Effect.timeoutOption`
 * forks two fibers for each effect, and a thousand effects may wait at once. Changes of fiber refs are lost.
 */
export const limitTime = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  duration: Duration.Duration
): Effect.Effect<Option.Option<A>, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.fork(restore(effect)), (fiber) =>
      Effect.clockWith((clock) => {
        const watch = watchOf(clock)
        const limit: Limit = { due: unsafeMonotonicMillis(clock) + Duration.toMillis(duration), fiber, isOver: false }
        watch.add(limit, clock, fiber.currentScheduler)
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
