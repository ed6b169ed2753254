// npx vitest run examples/swap-layers.test.ts
//
// Three ways to test a program that generates images: the emulator in virtual time, the emulator with a fault, and a
// handwritten `ArtaApi`. None of them needs a network or an API key, and none waits in real time.
import { expect, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { Arta, ArtaApi, Generation } from "effect-arta"
import { ArtaEmulator, Fault } from "effect-arta/testing"

const generateCover = (title: string) =>
  Arta.run({ prompt: `the cover of "${title}"` }, { timeout: "1 minute" }).pipe(
    Effect.map(({ images }) => images[0].url),
    Effect.catchTag("GenerationFailedError", () => Effect.succeed("blank-cover.png"))
  )

it.effect("waits for a cover that takes 40 seconds", () =>
  Effect.gen(function* () {
    const cover = yield* Effect.fork(generateCover("Dune"))
    yield* TestClock.adjust("50 seconds")
    expect(yield* Fiber.join(cover)).toMatch(/\.png$/)
  }).pipe(Effect.provide(ArtaEmulator.layerArta({ queueTime: "10 seconds", drawTime: "30 seconds" })))
)

it.effect("uses a blank cover if the generation fails", () =>
  Effect.gen(function* () {
    const cover = yield* Effect.fork(generateCover("Dune"))
    yield* TestClock.adjust("50 seconds")
    expect(yield* Fiber.join(cover)).toBe("blank-cover.png")
  }).pipe(Effect.provide(ArtaEmulator.layerArta({ faults: [Fault.failGeneration("MODERATED", "not this book")] })))
)

it.effect("uses a handwritten ArtaApi", () =>
  Effect.gen(function* () {
    const cover = yield* Effect.fork(generateCover("Dune"))
    // The first poll comes a moment after the submission.
    yield* TestClock.adjust("1 second")
    expect(yield* Fiber.join(cover)).toBe("https://covers.test/dune.png")
  }).pipe(
    Effect.provideService(ArtaApi.ArtaApi, {
      submit: () => Effect.succeed(Generation.RecordId.make("record-1")),
      status: () => Effect.succeed({ _tag: "Done", images: [{ index: 0, url: "https://covers.test/dune.png" }] })
    })
  )
)
