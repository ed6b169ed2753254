import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Runs an effect until it ends or the signal interrupts it. */
export type Run<R, ER> = <A, E>(
  effect: Effect.Effect<A, E, R>,
  options?: { readonly signal?: AbortSignal }
) => Promise<Exit.Exit<A, E | ER>>

/**
 * An async iterator that pulls from a stream. Nothing runs between two calls of `next`.
 *
 * Effect 3.22's `Stream.toAsyncIterable` hangs in three cases that this iterator handles: overlapping calls of `next`,
 * `next` after the end, and `return` during a pending `next`.
 */
export const iterate = <A, E, R, ER>(stream: Stream.Stream<A, E, R>, run: Run<R, ER>): AsyncIterator<A> => {
  const closing = new AbortController()

  async function* elements() {
    const scope = Effect.runSync(Scope.make())
    const pull = Effect.runSync(Effect.cached(Scope.extend(Stream.toPull(stream), scope)))
    const next = Effect.flatten(pull).pipe(
      Effect.asSome,
      Effect.catchAll(Option.match({ onNone: () => Effect.succeedNone, onSome: Effect.fail }))
    )
    try {
      for (;;) {
        const exit = await run(next, { signal: closing.signal })
        if (Exit.isFailure(exit)) {
          if (closing.signal.aborted && Cause.isInterruptedOnly(exit.cause)) return
          throw Cause.squash(exit.cause)
        }
        if (Option.isNone(exit.value)) return
        yield* exit.value.value
      }
    } finally {
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }

  // A generator runs overlapping calls one after the other.
  const iterator = elements()
  return {
    next: () => iterator.next(),
    return: () => {
      closing.abort()
      return iterator.return()
    }
  }
}
