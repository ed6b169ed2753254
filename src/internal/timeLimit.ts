import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as MutableRef from "effect/MutableRef"
import * as Runtime from "effect/Runtime"
import { Timer } from "./timer.js"

/**
 * Runs an effect in a fiber of its own, which is interrupted when a budget of milliseconds is used up. If it is used up
 * already, the effect does not start. The time that the effect takes is subtracted from the budget. `Effect.timeoutTo`
 * forks two fibers for each effect, and a thousand effects may wait at once. Changes of fiber refs are lost.
 *
 * The new fiber has no parent: an interruption reaches a child at once, even if its parent is uninterruptible.
 */
export const limitTime = <A, E, R, B, E2>(
  effect: Effect.Effect<A, E, R>,
  budget: MutableRef.MutableRef<number>,
  onTimeout: Effect.Effect<B, E2>
): Effect.Effect<A | B, E | E2, R> =>
  // Outside the mask: the new fiber is as interruptible as the caller.
  Effect.flatMap(Effect.runtime<R>(), (runtime) =>
    Effect.uninterruptibleMask((restore) => {
      if (budget.current <= 0) return restore(onTimeout)
      // The fiber does not start before others that are ready.
      const fiber = Runtime.runFork(runtime, effect, { immediate: false })
      const timer = new Timer(fiber, budget)
      const ended = Effect.async<A | B, E | E2>((resume) => {
        fiber.addObserver((exit) => {
          timer.stop()
          resume(timer.isOver && Exit.isInterrupted(exit) ? Effect.provide(onTimeout, fiber.currentContext) : exit)
        })
      })
      return Effect.catchAllCause(restore(ended), (cause) => {
        timer.stop()
        return Effect.zipRight(Fiber.interrupt(fiber), Effect.failCause(cause))
      })
    })
  )
