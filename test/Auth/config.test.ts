import { describe, expect, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect, Layer } from "effect"
import { ArtaApi, Auth, GenerateRequest, TokenStore } from "effect-arta"
import { scriptedClient } from "../support/scriptedClient.js"

const environment = ConfigProvider.fromMap(
  new Map([
    ["ARTA_API_KEY", " environment\n"],
    ["ARTA_SIGN_UP_URL", "https://environment.test/sign-up"],
    ["ARTA_TOKEN_URL", "https://environment.test/token"],
    ["ARTA_API_URL", "https://environment.test"]
  ])
)

const given = {
  apiKey: Config.succeed("program"),
  signUpUrl: Config.succeed("https://program.test/sign-up"),
  tokenUrl: Config.succeed("https://program.test/token"),
  apiUrl: Config.succeed("https://program.test")
}

const sources = [
  ["the environment", undefined, "environment"],
  ["the given config", given, "program"]
] as const

describe("Auth.layerConfig", () => {
  it.effect.each(sources)("reads %s", ([, config, name]) => {
    const http = scriptedClient({
      "/sign-up": [{ body: { localId: "me", idToken: "id-1", refreshToken: "refresh-1", expiresIn: "3600" } }],
      "/token": [{ body: { id_token: "id-2", expires_in: "3600" } }]
    })
    return Effect.gen(function* () {
      const auth = yield* Auth.Auth
      yield* Effect.flatMap(auth.token, auth.renew)
      expect(http.seen.map(({ url }) => url)).toEqual([
        `https://${name}.test/sign-up?key=${name}`,
        `https://${name}.test/token?key=${name}`
      ])
    }).pipe(
      Effect.provide(Layer.provide(Auth.layerConfig(config), [TokenStore.layerMemory, http.layer])),
      Effect.withConfigProvider(environment)
    )
  })
})

describe("ArtaApi.layerConfig", () => {
  it.effect.each(sources)("reads %s", ([, config, name]) => {
    const http = scriptedClient({ text2image: [{ body: { record_id: "rec-1" } }] })
    return Effect.gen(function* () {
      const api = yield* ArtaApi.ArtaApi
      yield* api.submit(new GenerateRequest.GenerateRequest({ prompt: "a cat" }))
      expect(http.seen.map(({ url }) => url)).toEqual([`https://${name}.test/text2image`])
    }).pipe(
      Effect.provide(Layer.provide(ArtaApi.layerConfig(config), [Auth.layerToken("mine"), http.layer])),
      Effect.withConfigProvider(environment)
    )
  })
})
