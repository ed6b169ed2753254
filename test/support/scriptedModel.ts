import * as LanguageModel from "@effect/ai/LanguageModel"
import type { PartEncoded } from "@effect/ai/Response"
import { Effect, Layer, Ref, Stream } from "effect"

/** A tool call in the response of a model. */
export const toolCall = (name: string, params: unknown, id = "call-1"): PartEncoded => ({
  type: "tool-call",
  id,
  name,
  params
})

/** A language model that gives these responses in turn, and what it was asked. */
export const scriptedModel = (...turns: ReadonlyArray<ReadonlyArray<PartEncoded>>) =>
  Effect.gen(function* () {
    const asked = yield* Ref.make<ReadonlyArray<LanguageModel.ProviderOptions>>([])
    const model = yield* LanguageModel.make({
      generateText: (options) =>
        Effect.map(
          Ref.getAndUpdate(asked, (earlier) => [...earlier, options]),
          (earlier) => [...(turns[earlier.length] ?? [])]
        ),
      streamText: () => Stream.dieMessage("The model does not stream.")
    })
    return { layer: Layer.succeed(LanguageModel.LanguageModel, model), asked: Ref.get(asked) }
  })
