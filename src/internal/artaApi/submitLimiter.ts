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
    return Effect.sync(() => {
      // A waiter that was woken, but is interrupted before it takes the permit, wakes the next.
      if (!waiting.delete(resume)) wakeNext()
    })
  })

  const wakeNext = () => {
    const [resume] = waiting
    if (resume === undefined) return
    waiting.delete(resume)
    resume(take)
  }

  const release = Effect.sync(() => {
    free += 1
    wakeNext()
  })

  return (effect) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(take), () => Effect.ensuring(restore(effect), release))
    )
})
