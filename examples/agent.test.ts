// npx vitest run examples/agent.test.ts
//
// An agent that generates images, and its test. The language model is scripted and the image service is the emulator,
// so the test needs no network and no API key. In production, provide the model of a provider such as @effect/ai-openai
// instead, and `NodeArta.layerConfig()`.
import * as LanguageModel from "@effect/ai/LanguageModel"
import { expect, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { ArtaToolkit } from "effect-arta/ai"
import { ArtaEmulator } from "effect-arta/testing"

const illustrate = (request: string) =>
  LanguageModel.generateText({ prompt: request, toolkit: ArtaToolkit.toolkit }).pipe(
    Effect.map(({ toolResults }) =>
      toolResults.map((call) => (call.isFailure ? call.result.message : (call.result.images[0]?.url ?? "no image")))
    )
  )

const scriptedModel = Layer.effect(
  LanguageModel.LanguageModel,
  LanguageModel.make({
    generateText: () =>
      Effect.succeed([
        { type: "tool-call", id: "1", name: "generate_image", params: { prompt: "a fox", aspectRatio: "16:9" } }
      ]),
    streamText: () => Stream.empty
  })
)

it.live("generates the image that the model asks for", () =>
  Effect.gen(function* () {
    expect(yield* illustrate("A fox for my letter head, please.")).toEqual([expect.stringMatching(/\.png$/)])
  }).pipe(Effect.provide([scriptedModel, ArtaToolkit.layer, ArtaEmulator.layerArta({ queueTime: 0, drawTime: 0 })]))
)
