import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"

interface Turn {
  /** Waits until the turn starts. */
  readonly wait: Effect.Effect<void>
  /** Ends the turn before its effect ends. */
  readonly end: Effect.Effect<void>
  /** How many other turns have not started. */
  readonly unsafeWaiting: () => number
}

/**
 * Runs effects that each take a turn, in the order in which they start, so many at a time. In effect 3.22, `Semaphore`
 * wakes every waiter on each release, in no order, which dominates the CPU time with a thousand waiters.
 */
export const makeTurns = (
  concurrency: number
): Effect.Effect<<A, E, R>(use: (turn: Turn) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>> =>
  Effect.sync(() => {
    const running = new Set<object>()
    // In order, with what to call when they start.
    const waiting = new Map<object, () => void>()

    const startNext = () => {
      for (const [turn, onStart] of waiting) {
        if (running.size >= concurrency) return
        waiting.delete(turn)
        running.add(turn)
        onStart()
      }
    }

    const unsafeWaiting = () => waiting.size

    return (use) =>
      Effect.uninterruptibleMask((restore) => {
        const turn = {}
        waiting.set(turn, constVoid)
        startNext()
        const wait = Effect.suspend(() =>
          waiting.has(turn)
            ? Effect.async((resume) => {
                waiting.set(turn, () => {
                  resume(Effect.void)
                })
              })
            : Effect.void
        )
        const end = Effect.sync(() => {
          waiting.delete(turn)
          if (running.delete(turn)) startNext()
        })
        return Effect.matchCauseEffect(restore(use({ wait, end, unsafeWaiting })), {
          onFailure: (cause) => Effect.zipRight(end, Effect.failCause(cause)),
          onSuccess: (result) => Effect.as(end, result)
        })
      })
  })
