import { Chunk, type Duration, Effect, Fiber, Stream, TestClock } from "effect"
import type { Generation } from "effect-arta"
import type { Fault } from "effect-arta/testing"
import { ArtaEmulator } from "effect-arta/testing"

/** Runs a test on the emulator in memory. */
export const withEmulator = (options: ArtaEmulator.Options = {}) => Effect.provide(ArtaEmulator.layerArta(options))

/** How many requests of each kind the emulator saw. */
export const counts = Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => emulator.counts)

export const inject = (...faults: ReadonlyArray<Fault.Fault>) =>
  Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => Effect.forEach(faults, emulator.inject))

/** Runs an effect that has to wait, and lets virtual time pass until it is done. */
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
