import { HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Ref, Stream } from "effect"
import { Arta, TokenStore } from "effect-arta"
import { ArtaEmulator } from "effect-arta/testing"
import { counts, runToEnd } from "../support/withEmulator.js"

/** The prompt of a submission. */
const promptOf = ({ body }: HttpClientRequest.HttpClientRequest): ReadonlyArray<string> => {
  const form = body._tag === "Uint8Array" ? new URLSearchParams(new TextDecoder().decode(body.body)) : undefined
  const prompt = form?.get("prompt")
  return typeof prompt === "string" ? [prompt] : []
}

/** Provides the emulator behind a client that records the prompts in the order of their submission. */
const recordingPrompts = (prompts: Ref.Ref<ReadonlyArray<string>>) =>
  Arta.layer({
    apiKey: "k",
    transformClient: HttpClient.mapRequestEffect((request) =>
      Effect.as(
        Ref.update(prompts, (before) => [...before, ...promptOf(request)]),
        request
      )
    )
  }).pipe(
    Layer.provideMerge(
      Layer.merge(TokenStore.layerMemory, ArtaEmulator.layer({ queueTime: 0, drawTime: "100 millis" }))
    )
  )

describe("Arta.generateAll", () => {
  // fault: Composition | The first of many generations wait for the same sign-up | submitted in the order of the input
  it.effect.each<[Arta.AllSettings, number]>([
    [{}, 9],
    [{ concurrency: 2 }, 5],
    [{ concurrency: 34 }, 36],
    [{ concurrency: "unbounded" }, 36]
  ])("submits in the order of its input with the settings %j", ([settings, length]) =>
    Effect.gen(function* () {
      const prompts = yield* Ref.make<ReadonlyArray<string>>([])
      const inputs = Array.from({ length }, (_, index) => `prompt ${String(index)}`)
      const all = Arta.generateAll(
        inputs.map((prompt) => ({ prompt })),
        settings
      )
      yield* Effect.gen(function* () {
        yield* runToEnd(Stream.runDrain(all), "10 seconds")
        expect(yield* counts).toMatchObject({ signUp: 1, submit: length })
      }).pipe(Effect.provide(recordingPrompts(prompts)))
      expect(yield* Ref.get(prompts)).toEqual(inputs)
    })
  )
})
