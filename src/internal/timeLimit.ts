import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Timer } from "./timer.js"

/**
 * Runs an effect in a fiber of its own, interrupted after the duration. `Effect.timeoutTo` forks two fibers for each
 * effect, and a thousand effects may wait at once. Changes of fiber refs are lost.
 *
 * The fiber is a daemon: an interruption reaches a child fiber at once, even if its parent is uninterruptible.
 */
export const limitTime = <A, E, R, B, E2>(
  effect: Effect.Effect<A, E, R>,
  duration: Duration.Duration,
  onTimeout: Effect.Effect<B, E2>
): Effect.Effect<A | B, E | E2, R> =>
  Effect.uninterruptibleMask((restore) => {
    const timer = new Timer<B, E2>()
    const timed = Effect.zipRight(timer.start(Duration.toMillis(duration), onTimeout), effect)
    return Effect.flatMap(Effect.forkDaemon(restore(timed)), (fiber) => {
      const ended = Effect.async<Exit.Exit<A, E>>((resume) => {
        fiber.addObserver((exit) => {
          resume(Effect.succeed(exit))
        })
      })
      return Effect.matchCauseEffect(restore(ended), {
        onFailure: (cause) => {
          timer.stop()
          return Effect.zipRight(Fiber.interrupt(fiber), Effect.failCause(cause))
        },
        onSuccess: (exit): Effect.Effect<A | B, E | E2> => {
          timer.stop()
          return timer.timedOut !== undefined && Exit.isInterrupted(exit) ? restore(timer.timedOut) : exit
        }
      })
    })
  })
