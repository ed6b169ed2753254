import * as Effect from "effect/Effect"

/** Runs an effect once a permit is free, first come, first served. */
export type SubmitLimiter = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

// More concurrent submissions finish no image sooner, but delay the polls of earlier generations.
const maxSubmissions = 32

/**
 * Limits how many effects run at once.
 *
 * Written here because, in effect 3.22, `Semaphore` wakes every waiter on each release, which dominates the CPU time
 * with a thousand waiters, and `PartitionedSemaphore` leaks a permit when a waiter is interrupted.
 */
export const makeSubmitLimiter: Effect.Effect<SubmitLimiter> = Effect.sync(() => {
  let free = maxSubmissions
  const waiting = new Set<(then: Effect.Effect<void>) => void>()

  const take: Effect.Effect<void> = Effect.suspend(() => {
    if (free === 0) return wait
    free -= 1
    return Effect.void
  })

  const wait: Effect.Effect<void> = Effect.async((resume) => {
    waiting.add(resume)
    // A waiter that got a permit, but is interrupted before it runs, passes the permit on.
    return Effect.suspend(() => (waiting.delete(resume) ? Effect.void : release))
  })

  // The permit goes to the first waiter, so that no later caller overtakes it.
  const release: Effect.Effect<void> = Effect.sync(() => {
    const [resume] = waiting
    if (resume === undefined) {
      free += 1
    } else {
      waiting.delete(resume)
      resume(Effect.void)
    }
  })

  return (effect) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(take), () => Effect.ensuring(restore(effect), release))
    )
})
