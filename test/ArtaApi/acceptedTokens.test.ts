import { expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { ArtaApi, Auth, GenerateRequest } from "effect-arta"
import { countingAuth } from "../support/countingAuth.js"
import type { Step } from "../support/scriptedClient.js"
import { scriptedClient } from "../support/scriptedClient.js"

const created = { body: { record_id: "rec-1" } }

it.effect.each<[string, ReadonlyArray<Step>, ReadonlyArray<string>]>([
  ["none if the service fails", [{ status: 500 }], []],
  ["the first one", [created], ["token-1"]],
  ["the second one if the service refuses the first", [{ status: 401 }, created], ["token-2"]],
  ["both if the service refuses the first later", [created, { status: 401 }, created], ["token-1", "token-2"]]
])("ArtaApi reports the tokens that the service accepts to Auth, each once: %s", ([, steps, expected]) => {
  const accepted: Array<string> = []
  const auth = Layer.effect(
    Auth.Auth,
    Effect.map(Auth.Auth, (service) => ({
      ...service,
      accepted: (token: Redacted.Redacted) => Effect.sync(() => void accepted.push(Redacted.value(token)))
    }))
  ).pipe(Layer.provide(countingAuth))
  return Effect.gen(function* () {
    const api = yield* ArtaApi.ArtaApi
    const submit = api.submit(new GenerateRequest.GenerateRequest({ prompt: "a cat" }))
    yield* Effect.replicateEffect(Effect.exit(submit), 3)
    expect(accepted).toEqual(expected)
  }).pipe(Effect.provide(Layer.provide(ArtaApi.layer(), [auth, scriptedClient({ text2image: steps }).layer])))
})
