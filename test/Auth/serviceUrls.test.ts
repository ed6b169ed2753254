import { describe, expect, it } from "@effect/vitest"
import { Cause, Config, ConfigProvider, Effect, Layer } from "effect"
import { Arta, ArtaApi, ArtaClient, Auth, TokenStore } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { scriptedClient } from "../support/scriptedClient.js"
import { withVariables } from "../support/withVariables.js"

const { layer: http, seen } = scriptedClient({})
const services = Layer.merge(TokenStore.layerMemory, http)

const options = ["apiUrl", "signUpUrl", "tokenUrl"] as const
const variables = { apiUrl: "ARTA_API_URL", signUpUrl: "ARTA_SIGN_UP_URL", tokenUrl: "ARTA_TOKEN_URL" }

const invalid = [
  ["ftp://arta.test/api", "ftp://arta.test/api"],
  ["not a url", "not a url"],
  ["arta.test/api", "arta.test/api"],
  ["https://", "https://"],
  ["https:/arta.test", "https:/arta.test"],
  ["https://arta.test/api?v=1", "https://arta.test/api?<redacted>"],
  ["https://arta.test/api?", "https://arta.test/api?"],
  ["https://arta.test/api#top", "https://arta.test/api#<redacted>"],
  ["https://arta.test:99999", "https://arta.test:99999"],
  ["https://me:secret@arta.test", "https://arta.test"],
  ["https://me:sec/ret@arta.test", "https://arta.test"],
  ["https://me:sec?ret@arta.test", "https://arta.test"],
  ["https://me@arta.test/api", "https://arta.test/api"],
  ["me:secret@arta.test", "arta.test"],
  ["https://arta.test?key=secret&v=1", "https://arta.test?<redacted>"],
  ["javascript:alert(1)", "javascript:alert(1)"]
] as const

const cases = options.flatMap((option) => invalid.map(([url, shown]) => ({ option, url, shown })))

/** The error of building a layer. */
const failure = <A, E>(layer: Layer.Layer<A, E>) => Effect.flip(Effect.scoped(Layer.build(layer)))

const environment = (name: string, value: string) =>
  ConfigProvider.fromMap(
    new Map([
      ["ARTA_API_KEY", "k"],
      [name, value]
    ])
  )

const allowed = "an http or https URL without a user, a query or a fragment"

describe("The URL of a service", () => {
  // fault: Sessions | A URL that cannot be a service's | `InvalidRequestError` with option and value, when the layer is built
  it.effect.each(cases)("is rejected when the layer is built: $option $url", ({ option, shown, url }) =>
    Effect.gen(function* () {
      const expected = { _tag: "InvalidRequestError", field: option, value: JSON.stringify(shown), allowed }
      expect(yield* failure(Layer.provide(Arta.layer({ apiKey: "k", [option]: url }), services))).toMatchObject(
        expected
      )
      const error = yield* failure(NodeArta.layer({ apiKey: "k", tokenFile: "/nowhere", [option]: url }))
      expect(error).toMatchObject(expected)
      expect(error.message).not.toContain("secret")
      expect(seen).toEqual([])
    })
  )

  // fault: Sessions | A variable whose URL cannot be a service's | `ConfigError` with the variable and the value
  it.effect.each(cases.filter(({ url }) => url.startsWith("ftp") || url.includes("secret")))(
    "is rejected with its variable: $option $url",
    ({ option, shown, url }) =>
      Effect.gen(function* () {
        const error = yield* failure(Layer.provide(Arta.layerConfig(), services))
        expect(error).toMatchObject({
          _op: "InvalidData",
          path: [variables[option]],
          message: `${JSON.stringify(shown)} is not ${allowed}`
        })
        expect(Cause.pretty(Cause.fail(error))).not.toContain("secret")
      }).pipe(Effect.withConfigProvider(environment(variables[option], url)))
  )

  it.effect("is rejected with its option if a config replaces the variable", () =>
    Effect.gen(function* () {
      const config = {
        apiKey: Config.succeed("k"),
        apiUrl: Config.succeed("ftp://a"),
        tokenUrl: Config.succeed("ftp://b")
      }
      const api = Layer.provide(ArtaApi.layerConfig(config), Layer.merge(Auth.layerToken("t"), http))
      expect(yield* failure(api)).toMatchObject({ _op: "InvalidData", path: ["apiUrl"] })
      expect(yield* failure(Layer.provide(Auth.layerConfig(config), services))).toMatchObject({ path: ["tokenUrl"] })
    })
  )

  it.effect.each(["https://arta.test", "HTTP://127.0.0.1:8080/api/v1/", " https://arta.test/a%20b/@me\n"])(
    "is accepted: %j",
    (apiUrl) =>
      Effect.scoped(Layer.build(Layer.provide(ArtaApi.layer({ apiUrl }), Layer.merge(Auth.layerToken("t"), http))))
  )

  it.effect.each<[string, object, Record<string, string>, string]>([
    ["the option", { apiUrl: "ftp://arta.test" }, {}, "apiUrl"],
    ["the variable", {}, { ARTA_API_URL: "ftp://arta.test" }, "ARTA_API_URL"]
  ])("rejects the first call of a client with %s", ([, options, variables, field]) => {
    const rejected = Effect.promise(async () => {
      await using client = NodeArta.client({ apiKey: "k", tokenFile: "/nowhere", ...options })
      return await client.run({ prompt: "a cat" }).catch((error: unknown) => error)
    })
    return Effect.map(withVariables(variables, rejected), (error) => {
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, value: '"ftp://arta.test"', allowed })
    })
  })

  it("rejects the first call of a client with fetch", async () => {
    await using client = ArtaClient.make({ apiKey: "k", tokenUrl: "nowhere" })
    await expect(client.run({ prompt: "a cat" })).rejects.toMatchObject({
      _tag: "InvalidRequestError",
      field: "tokenUrl"
    })
  })
})
