import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

const iterate = <A, E, R>(stream: Stream.Stream<A, E, R>, runtime: Runtime.Runtime<R>): AsyncIterator<A> => {
  const done: IteratorResult<A> = { done: true, value: undefined }
  const closing = new AbortController()
  const lock = Effect.unsafeMakeSemaphore(1)
  const scope = Runtime.runSync(runtime, Scope.make())
  const pull = Runtime.runSync(runtime, Effect.cached(Scope.extend(Stream.toPull(Stream.rechunk(stream, 1)), scope)))
  let ended = false

  const end = Effect.suspend(() => {
    ended = true
    return Scope.close(scope, Exit.void)
  })

  const step = Effect.flatten(pull).pipe(
    Effect.map((chunk): IteratorResult<A> => ({ done: false, value: Chunk.unsafeHead(chunk) })),
    Effect.tapErrorCause(() => end),
    Effect.catchAll(Option.match({ onNone: () => Effect.succeed(done), onSome: (error) => Effect.fail(error) }))
  )
  const next = lock.withPermits(1)(Effect.suspend(() => (ended ? Effect.succeed(done) : step)))

  return {
    next: () =>
      Runtime.runPromiseExit(runtime, next, { signal: closing.signal }).then((exit) => {
        if (Exit.isSuccess(exit)) return exit.value
        if (closing.signal.aborted && Cause.isInterruptedOnly(exit.cause)) return done
        throw Cause.squash(exit.cause)
      }),
    return: () => {
      closing.abort()
      return Runtime.runPromise(runtime, lock.withPermits(1)(end)).then(() => done)
    }
  }
}

/**
 * An async iterable that pulls: between two calls of `next` nothing runs. Unlike the iterator that `Stream` brings, its
 * own takes overlapping calls of `next`, answers `next` after the end, and settles a pending `next` when it is closed.
 */
export const fromStream = <A, E, R>(stream: Stream.Stream<A, E, R>): Effect.Effect<AsyncIterable<A>, never, R> =>
  Effect.map(Effect.runtime<R>(), (runtime) => ({ [Symbol.asyncIterator]: () => iterate(stream, runtime) }))
