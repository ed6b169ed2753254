import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as ImageModel from "../../ImageModel.js"
import { fromArtaError } from "./apiError.js"
import { UnknownModelError } from "../../ArtaError.js"
import { modelFor } from "./imageRequest.js"

// Clients require a time. The service tells none.
const created = Date.UTC(2025, 0) / 1000

const describe = (id: string) => ({
  id,
  object: "model",
  created,
  owned_by: "arta"
})

// Some programs offer only models of OpenAI that they know. `modelFor` says what stands in for them.
const knownToClients = ["dall-e-2", "dall-e-3", "gpt-image-1"]

const list = {
  object: "list",
  data: [...ImageModel.aliases.keys(), ...knownToClients].sort().map(describe)
}

export const listModels = HttpServerResponse.unsafeJson(list)

/** Describes a model under any name that a generation accepts. */
export const getModel = Effect.gen(function* () {
  const { model = "" } = yield* HttpRouter.params
  const name = modelFor(model)
  if (typeof name === "string" && ImageModel.candidates(name).length === 0) {
    return yield* fromArtaError(new UnknownModelError({ model, suggestions: ImageModel.suggest(model) }))
  }
  return HttpServerResponse.unsafeJson(describe(model))
})
