import type { ImageModelV3CallOptions } from "@ai-sdk/provider"
import { Effect, ManagedRuntime, Layer } from "effect"
import type { ArtaApi } from "effect-arta"
import { ArtaClient, type GenerateRequest } from "effect-arta"
import { createArta } from "effect-arta/ai-sdk"
import { ArtaEmulator } from "effect-arta/testing"
import type { HttpClient } from "@effect/platform"
import { smallImage } from "./withEmulator.js"

/** What the AI SDK passes to a model, with these options. */
export const callOptions = (options: Partial<ImageModelV3CallOptions> = {}): ImageModelV3CallOptions => ({
  prompt: "a fox",
  n: 1,
  size: undefined,
  aspectRatio: undefined,
  seed: undefined,
  files: undefined,
  mask: undefined,
  providerOptions: {},
  ...options
})

/** A provider of the AI SDK on an emulator in memory, and what the emulator counted. */
export const makeProvider = async (
  options: ArtaEmulator.Options = {},
  settings: ArtaClient.CallSettings = {},
  onSubmitted: (request: GenerateRequest.GenerateRequest) => void = () => undefined
) => {
  const runtime = ManagedRuntime.make(
    ArtaEmulator.layerArta({ queueTime: 0, drawTime: 0, imageSize: smallImage, ...options })
  )
  const emulator = await runtime.runPromise(ArtaEmulator.ArtaEmulator)
  const services = await runtime.runPromise(Effect.context<ArtaApi.ArtaApi | HttpClient.HttpClient>())
  const client = ArtaClient.fromLayer(Layer.succeedContext(services))
  const arta = createArta({
    client: {
      ...client,
      async *generate(options, callSettings) {
        for await (const event of client.generate(options, { ...callSettings, ...settings })) {
          if (event._tag === "Submitted") onSubmitted(event.request)
          yield event
        }
      }
    }
  })
  return {
    arta,
    client,
    counts: () => runtime.runPromise(emulator.counts),
    inject: (...faults: ReadonlyArray<Parameters<typeof emulator.inject>[0]>) =>
      runtime.runPromise(Effect.forEach(faults, emulator.inject)),
    stop: () => arta.close().then(() => runtime.dispose())
  }
}
