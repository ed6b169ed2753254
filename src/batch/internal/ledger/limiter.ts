import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

/** Runs an effect once a permit is free, first come, first served. */
export type Limiter = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** A queue of permits: in effect 3.22, `Semaphore` wakes every waiter on each release. */
export const makeLimiter = (permits: number): Effect.Effect<Limiter> =>
  Effect.gen(function* () {
    const free = yield* Queue.unbounded<number>()
    yield* Queue.offerAll(free, Array.range(1, permits))
    return (effect) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(restore(Queue.take(free)), (permit) =>
          Effect.ensuring(restore(effect), Queue.offer(free, permit))
        )
      )
  })
