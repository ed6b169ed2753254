import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Timer } from "./timer.js"

/**
 * Runs an effect in a fiber of its own, which a timer may interrupt. `Effect.timeoutTo` forks two fibers for each
 * effect, and a thousand effects may wait at once. Changes of fiber refs are lost. `onExit` runs as with
 * `Effect.onExit`, but takes no steps of its own.
 *
 * The fiber is a daemon: an interruption reaches a child fiber at once, even if its parent is uninterruptible.
 */
export const withTimer = <A, E, R, B, E2>(
  use: (timer: Timer<B, E2>) => Effect.Effect<A, E, R>,
  onExit: (exit: Exit.Exit<A | B, E | E2>) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<A | B, E | E2, R> =>
  Effect.uninterruptibleMask((restore) => {
    const timer = new Timer<B, E2>()
    return Effect.flatMap(Effect.forkDaemon(restore(Effect.suspend(() => use(timer)))), (fiber) => {
      const ended = Effect.async<Exit.Exit<A, E>>((resume) => {
        fiber.addObserver((exit) => {
          resume(Effect.succeed(exit))
        })
      })
      return Effect.matchCauseEffect(restore(ended), {
        onFailure: (cause) => {
          timer.stop()
          const exit = Exit.failCause(cause)
          return Effect.zipRight(Effect.zipRight(Fiber.interrupt(fiber), onExit(exit)), exit)
        },
        onSuccess: (exit): Effect.Effect<A | B, E | E2> => {
          timer.stop()
          return timer.timedOut !== undefined && Exit.isInterrupted(exit)
            ? Effect.onExit(restore(timer.timedOut), onExit)
            : Effect.zipRight(onExit(exit), exit)
        }
      })
    })
  })

/** Runs an effect in a fiber of its own, interrupted after the duration. */
export const limitTime = <A, E, R, B, E2>(
  effect: Effect.Effect<A, E, R>,
  duration: Duration.Duration,
  onTimeout: Effect.Effect<B, E2>
): Effect.Effect<A | B, E | E2, R> =>
  withTimer<A, E, R, B, E2>((timer) => Effect.zipRight(timer.start(Duration.toMillis(duration), onTimeout), effect))
