import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import type * as Scope from "effect/Scope"
import * as SynchronizedRef from "effect/SynchronizedRef"
import { monotonicMillis } from "../clock.js"

/** Why the last run failed, and how long to back off from now. */
interface Backoff<E> {
  readonly error: E
  readonly left: Duration.Duration
}

/** Runs an effect once for all concurrent callers. They share its result or its failure. */
export interface SingleFlight<A, E> {
  /** Joins the run in flight, or starts one. Interrupting a caller does not interrupt the run. */
  readonly run: (effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
  /** Starts a run without waiting for it, unless one is in flight or the last one failed a short while ago. */
  readonly runInBackground: (effect: Effect.Effect<A, E>) => Effect.Effect<void>
  /** Undefined after a success, and once the backoff is over. */
  readonly backoff: Effect.Effect<Backoff<E> | undefined>
}

/** Runs belong to the scope: closing it interrupts the one in flight. */
export const makeSingleFlight = <A, E>(
  backoffAfter: (error: E) => Duration.Duration
): Effect.Effect<SingleFlight<A, E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const inFlight = yield* SynchronizedRef.make<Fiber.Fiber<A, E> | undefined>(undefined)
    const failure = yield* Ref.make<{ readonly error: E; readonly until: number } | undefined>(undefined)

    const rememberFailure = (error: E) =>
      Effect.flatMap(monotonicMillis, (now) =>
        Ref.set(failure, { error, until: now + Duration.toMillis(backoffAfter(error)) })
      )

    const backoff = Effect.zipWith(Ref.get(failure), monotonicMillis, (last, now) =>
      last !== undefined && now < last.until
        ? { error: last.error, left: Duration.millis(last.until - now) }
        : undefined
    )

    const fork = (effect: Effect.Effect<A, E>): Effect.Effect<Fiber.Fiber<A, E>> =>
      effect.pipe(
        Effect.tapBoth({ onFailure: rememberFailure, onSuccess: () => Ref.set(failure, undefined) }),
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
      runInBackground: (effect) => Effect.whenEffect(start(effect), Effect.map(backoff, Predicate.isUndefined)),
      backoff
    }
  })
