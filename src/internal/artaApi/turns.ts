import * as Effect from "effect/Effect"

/** A place in a queue. */
class Turn {
  #hasStarted = false
  #onStart: (() => void) | undefined

  constructor(readonly queue: Queue) {}

  start() {
    this.#hasStarted = true
    this.#onStart?.()
  }

  /** Waits until the turn starts. */
  readonly wait: Effect.Effect<void> = Effect.suspend(() =>
    this.#hasStarted
      ? Effect.void
      : Effect.async((resume) => {
          this.#onStart = () => {
            resume(Effect.void)
          }
        })
  )

  /** Ends the turn before its effect ends. */
  readonly end: Effect.Effect<void> = Effect.sync(() => {
    this.queue.end(this)
  })
}

class Queue {
  readonly #running = new Set<Turn>()
  readonly #waiting = new Set<Turn>()

  constructor(readonly concurrency: number) {}

  join(): Turn {
    const turn = new Turn(this)
    this.#waiting.add(turn)
    this.#startNext()
    return turn
  }

  end(turn: Turn) {
    this.#waiting.delete(turn)
    if (this.#running.delete(turn)) this.#startNext()
  }

  #startNext() {
    const [next] = this.#waiting
    if (next === undefined || this.#running.size >= this.concurrency) return
    this.#waiting.delete(next)
    this.#running.add(next)
    next.start()
  }
}

/**
 * Runs effects that each take a turn, in the order in which they start, so many at a time. In effect 3.22, `Semaphore`
 * wakes every waiter on each release, in no order, which dominates the CPU time with a thousand waiters.
 */
export const makeTurns = (
  concurrency: number
): Effect.Effect<
  <A, E, R>(use: (turn: Pick<Turn, "wait" | "end">) => Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
> =>
  Effect.sync(() => {
    const queue = new Queue(concurrency)
    return (use) =>
      Effect.uninterruptibleMask((restore) => {
        const turn = queue.join()
        return Effect.flatMap(Effect.exit(restore(use(turn))), (exit) => Effect.zipRight(turn.end, exit))
      })
  })
