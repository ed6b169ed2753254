import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as MutableRef from "effect/MutableRef"
import * as Runtime from "effect/Runtime"
import { Timer } from "./timer.js"

/**
 * Runs an effect in a fiber of its own, which is interrupted when a budget of milliseconds is used up. It does not start
 * if none are left. `Effect.timeoutTo` forks two fibers for each effect, and a thousand effects may wait at once.
 * Changes of fiber refs are lost.
 *
 * No fiber supervises the new one: an interruption would reach a child fiber at once, even if its parent is
 * uninterruptible.
 */
export const limitTime = <A, E, R, B, E2>(
  effect: Effect.Effect<A, E, R>,
  budget: MutableRef.MutableRef<number>,
  onTimeout: Effect.Effect<B, E2>
): Effect.Effect<A | B, E | E2, R> =>
  Effect.flatMap(Effect.runtime<R>(), (runtime) =>
    Effect.async<A | B, E | E2>((resume) => {
      if (budget.current <= 0) {
        resume(onTimeout)
        return
      }
      // The fiber does not start before others that are ready.
      const fiber = Runtime.runFork(runtime, effect, { immediate: false })
      const timer = new Timer(fiber, budget)
      fiber.addObserver((exit) => {
        timer.stop()
        resume(timer.isOver && Exit.isInterrupted(exit) ? Effect.provide(onTimeout, fiber.currentContext) : exit)
      })
      return Effect.suspend(() => {
        timer.stop()
        return Fiber.interrupt(fiber)
      })
    })
  )
