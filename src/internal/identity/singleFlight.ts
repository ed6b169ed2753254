import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as SynchronizedRef from "effect/SynchronizedRef"
import type { Cooldown } from "../cooldown.js"
import { makeCooldown } from "../cooldown.js"

/** Runs an effect once for all concurrent callers. They share its result or its failure. */
export interface SingleFlight<A, E> {
  /** Joins the run in flight, or starts one. Interrupting a caller does not interrupt the run. */
  readonly run: (effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** Starts a run without waiting for it, unless one is in flight or the last one failed a short while ago. */
  readonly runInBackground: (effect: Effect.Effect<A, E>) => Effect.Effect<void>
  /** Why the last run failed, and how long to back off from now. Undefined after a success. */
  readonly backoff: Cooldown<E>["current"]
}

/** Runs belong to the scope: closing it interrupts the one in flight. */
export const makeSingleFlight = <A, E>(
  backoffAfter: (error: E) => Duration.Duration
): Effect.Effect<SingleFlight<A, E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const inFlight = yield* SynchronizedRef.make<Fiber.Fiber<A, E> | undefined>(undefined)
    const backoff = yield* makeCooldown<E>()

    const fork = (effect: Effect.Effect<A, E>): Effect.Effect<Fiber.Fiber<A, E>> =>
      effect.pipe(
        Effect.tapBoth({
          onFailure: (error) => backoff.start(error, backoffAfter(error)),
          onSuccess: () => backoff.end
        }),
        Effect.ensuring(SynchronizedRef.set(inFlight, undefined)),
        Effect.interruptible,
        Effect.forkIn(scope)
      )

    const start = (effect: Effect.Effect<A, E>) =>
      SynchronizedRef.modifyEffect(inFlight, (current) =>
        Effect.map(current === undefined ? fork(effect) : Effect.succeed(current), (fiber) => [fiber, fiber] as const)
      ).pipe(Effect.uninterruptible)

    return {
      run: (effect) => start(effect).pipe(Effect.flatMap(Fiber.await), Effect.flatten),
      runInBackground: (effect) => Effect.whenEffect(start(effect), Effect.map(backoff.current, Predicate.isUndefined)),
      backoff: backoff.current
    }
  })
