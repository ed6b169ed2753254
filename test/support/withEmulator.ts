import { Chunk, type Duration, Effect, Fiber, Stream, TestClock } from "effect"
import type { Generation } from "effect-arta"
import type { Fault } from "effect-arta/testing"
import { ArtaEmulator } from "effect-arta/testing"

/** The long side of the images in tests. Larger ones take time and show nothing more. */
export const smallImage = 64

/** Provides the in-memory emulator. */
export const withEmulator = (options: ArtaEmulator.Options = {}) =>
  Effect.provide(ArtaEmulator.layerArta({ imageSize: smallImage, ...options }))

/** The number of requests to the emulator, by operation. */
export const counts = Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => emulator.counts)

export const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => Effect.forEach(faults, emulator.inject))

/** Runs an effect to its end while the clock advances by `time`. Default: 10 minutes. */
export const runToEnd = <A, E, R>(effect: Effect.Effect<A, E, R>, time: Duration.DurationInput = "10 minutes") =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  })

/** All events of a generation, in virtual time. */
export const collect = <E, R>(events: Stream.Stream<Generation.GenerationEvent, E, R>) =>
  runToEnd(Effect.map(Stream.runCollect(events), Chunk.toReadonlyArray))

export const tags = (events: ReadonlyArray<Generation.GenerationEvent>) => events.map(({ _tag }) => _tag)
