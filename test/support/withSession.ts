import { NodeContext } from "@effect/platform-node"
import { Effect } from "effect"
import { ArtaApi, GenerateRequest, Generation } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { storedSession } from "./storedSession.js"

/** Provides the services of `NodeArta` with a stored session. */
export const withSession =
  (options: Partial<NodeArta.Options>) =>
  <A, E>(effect: Effect.Effect<A, E, NodeArta.Services>) =>
    Effect.gen(function* () {
      const layer = NodeArta.layer({ apiKey: "k", tokenFile: yield* storedSession, ...options })
      return yield* Effect.provide(effect, layer)
    }).pipe(Effect.provide(NodeContext.layer), Effect.scoped)

export const submission = Effect.flatMap(ArtaApi.ArtaApi, (api) =>
  api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))
)

export const poll = Effect.flatMap(ArtaApi.ArtaApi, (api) => api.status(Generation.RecordId.make("rec")))

/** Submits a generation with a stored session. */
export const submit = (options: Partial<NodeArta.Options>) => withSession(options)(submission)

/** Waits for real events, so it needs the live clock. */
export const until = (condition: () => boolean) => Effect.repeat(Effect.sleep("5 millis"), { until: condition })
