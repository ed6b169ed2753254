import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
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
  const done: IteratorResult<A> = { done: true, value: undefined }
  const finished = Effect.succeed(done)
  const closing = new AbortController()
  const mutex = Effect.unsafeMakeSemaphore(1)
  const scope = Effect.runSync(Scope.make())
  const pull = Effect.runSync(Effect.cached(Scope.extend(Stream.toPull(Stream.rechunk(stream, 1)), scope)))
  const step: Effect.Effect<IteratorResult<A>, E, R> = Effect.flatten(pull).pipe(
    Effect.map((chunk): IteratorResult<A> => ({ done: false, value: Chunk.unsafeHead(chunk) })),
    Effect.tapErrorCause(() => end),
    Effect.catchAll(Option.match({ onNone: () => finished, onSome: Effect.fail }))
  )
  let current = step
  const end = Effect.suspend(() => {
    current = finished
    return Scope.close(scope, Exit.void)
  })
  const next = mutex.withPermits(1)(Effect.suspend(() => current))
  const close = () => Effect.runPromise(mutex.withPermits(1)(end))

  return {
    // An iterator that has ended stays ended, even if `run` no longer works.
    next: async () => {
      if (current === finished) return done
      const exit = await run(next, { signal: closing.signal })
      if (Exit.isSuccess(exit)) return exit.value
      await close()
      if (closing.signal.aborted && Cause.isInterruptedOnly(exit.cause)) return done
      throw Cause.squash(exit.cause)
    },
    return: async () => {
      closing.abort()
      await close()
      return done
    }
  }
}
