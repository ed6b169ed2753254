import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Stream } from "effect"
import { Arta } from "effect-arta"
import { setImmediate } from "node:timers/promises"

const iterate = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.runSync(Arta.toAsyncIterable(stream))[Symbol.asyncIterator]()

/** A stream of numbers that counts how many of its pulls run at once. Each pull waits for the event loop. */
const counted = (size: number) => {
  const running = { now: 0, most: 0 }
  const stream = Stream.range(1, size).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((number) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          running.now += 1
          running.most = Math.max(running.most, running.now)
        }),
        () => Effect.promise(() => setImmediate(number)),
        () => Effect.sync(() => (running.now -= 1))
      )
    )
  )
  return { stream, running }
}

describe("Overlapping calls of an async iterator", () => {
  it("pull one element at a time, and each gets the next one", async () => {
    const { running, stream } = counted(3)
    const iterator = iterate(stream)
    const results = await Promise.all(Array.from({ length: 5 }, () => iterator.next()))
    expect(results).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: false, value: 3 },
      { done: true, value: undefined },
      { done: true, value: undefined }
    ])
    expect(running).toEqual({ now: 0, most: 1 })
  })

  it("start the stream once, even if that takes time", async () => {
    let starts = 0
    const stream = Stream.unwrap(
      Effect.promise(async () => {
        starts += 1
        await setImmediate()
        return Stream.make("a", "b")
      })
    )
    const iterator = iterate(stream)
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next()])
    expect(results.map(({ done }) => done)).toEqual([false, false, true])
    expect(starts).toBe(1)
  })

  it("release the stream only after the pending call has ended", async () => {
    const log: Array<string> = []
    const say = (text: string) => Effect.sync(() => log.push(text))
    const started = Effect.runSync(Deferred.make<boolean>())
    const pull = Effect.zipRight(Deferred.succeed(started, true), Effect.never).pipe(
      Effect.onInterrupt(() =>
        Effect.zipRight(
          Effect.promise(() => setImmediate()),
          say("pull ended")
        )
      )
    )
    const iterator = iterate(Stream.ensuring(Stream.fromEffect(pull), say("released")))
    const pending = [iterator.next(), iterator.next()]
    await Effect.runPromise(Deferred.await(started))
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
    expect(log).toEqual(["pull ended", "released"])
    expect(await Promise.all(pending)).toEqual(Array.from({ length: 2 }, () => ({ done: true, value: undefined })))
  })
})
