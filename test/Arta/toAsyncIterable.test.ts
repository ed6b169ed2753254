import { describe, expect, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Arta } from "effect-arta"

describe("Arta.toAsyncIterable", () => {
  const iterate = <A, E>(stream: Stream.Stream<A, E>) =>
    Effect.runSync(Arta.toAsyncIterable(stream))[Symbol.asyncIterator]()

  it("yields the elements of the stream, then throws its failure", async () => {
    const iterator = iterate(Stream.concat(Stream.make(1, 2), Stream.fail("broken" as const)))
    expect(await iterator.next()).toEqual({ done: false, value: 1 })
    expect(await iterator.next()).toEqual({ done: false, value: 2 })
    await expect(iterator.next()).rejects.toBe("broken")
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
  })

  it("settles overlapping calls in order, and calls after the end", async () => {
    const iterator = iterate(Stream.make(1, 2))
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()])
    expect(results.map((result) => [result.done, result.done === true ? undefined : result.value])).toEqual([
      [false, 1],
      [false, 2],
      [true, undefined],
      [true, undefined]
    ])
  })

  it("runs the stream only during a call, and finalizes it when it is closed", async () => {
    const log: Array<string> = []
    const say = (text: string) => Effect.sync(() => log.push(text))
    const stream = Stream.make("a", "b").pipe(Stream.rechunk(1), Stream.tap(say), Stream.ensuring(say("released")))
    const iterator = iterate(stream)
    expect(log).toEqual([])
    await iterator.next()
    expect(log).toEqual(["a"])
    await iterator.return?.()
    expect(log).toEqual(["a", "released"])
  })

  it("settles a pending call when it is closed", async () => {
    const iterator = iterate(Stream.never)
    const pending = iterator.next()
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined })
    expect(await pending).toEqual({ done: true, value: undefined })
  })

  it("closes before the first call", async () => {
    expect(await iterate(Stream.make(1)).return?.()).toEqual({ done: true, value: undefined })
  })
})
