import * as Effect from "effect/Effect"
import type { Service } from "../../ArtaApi.js"

/** Runs an effect once there is room for it. Who came first goes first. */
type SubmitLimiter = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

// More at once would bring no image sooner, but keep the polls of those before them waiting for an answer.
const submissionsAtOnce = 32

/**
 * Lets only so many effects run at once. For each that ends, Effect's semaphore wakes everybody who waits: with a thousand
 * who wait, that takes more of the processor than all else.
 */
const makeSubmitLimiter = (): SubmitLimiter => {
  let free = submissionsAtOnce
  const waiting = new Set<(then: Effect.Effect<void>) => void>()

  const enter: Effect.Effect<void> = Effect.suspend(() => {
    if (free === 0) return wait
    free -= 1
    return Effect.void
  })

  const wait: Effect.Effect<void> = Effect.async((resume) => {
    waiting.add(resume)
    return Effect.sync(() => {
      // Who was woken, but is interrupted before going in, leaves the room to the next.
      if (!waiting.delete(resume)) wakeNext()
    })
  })

  const wakeNext = () => {
    const [resume] = waiting
    if (resume === undefined) return
    waiting.delete(resume)
    resume(enter)
  }

  const leave = Effect.sync(() => {
    free += 1
    wakeNext()
  })

  return (effect) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(enter), () => Effect.ensuring(restore(effect), leave))
    )
}

const submitLimiters = new WeakMap<Service, SubmitLimiter>()

/** The limiter that all submissions to a service go through. */
export const submitLimiterOf = (api: Service): SubmitLimiter => {
  const submitLimiter = submitLimiters.get(api) ?? makeSubmitLimiter()
  submitLimiters.set(api, submitLimiter)
  return submitLimiter
}
