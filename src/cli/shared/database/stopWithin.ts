import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

// Process managers kill after 30 seconds or less, some after 15.
const longestStop = "14 seconds"

/**
 * Bounds how long an interruption waits for what must end well, such as the responses to submissions that are under
 * way. A submission that takes longer becomes unknown.
 */
export const stopWithin = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDaemon(restore(effect)), (fiber) =>
      restore(Fiber.join(fiber)).pipe(
        Effect.onInterrupt(() =>
          Fiber.interrupt(fiber).pipe(
            // Finalizers are uninterruptible. `timeout` must be able to interrupt the wait.
            Effect.interruptible,
            Effect.timeout(longestStop),
            Effect.ignore
          )
        )
      )
    )
  )
