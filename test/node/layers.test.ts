import { FileSystem, HttpClient, HttpClientRequest } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import type { ConfigError } from "effect"
import { Config, ConfigProvider, Effect, identity, Layer } from "effect"
import type { ArtaApi, ArtaError } from "effect-arta"
import { Arta, Polling, TokenStore } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator } from "effect-arta/testing"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { faultServer, respond } from "../support/faultServer.js"
import { proxyServer } from "../support/proxy.js"
import { tcpServer } from "../support/tcpServer.js"
import { submit } from "../support/withSession.js"

const run = Arta.run({ prompt: "cat" }, { polling: Polling.fixed("20 millis") })

const onPort = Effect.provide(Layer.merge(emulatorOnPort(), NodeContext.layer))

type WithoutStore = Layer.Layer<
  ArtaApi.ArtaApi,
  ConfigError.ConfigError | ArtaError.InvalidRequestError,
  TokenStore.TokenStore
>

/** A layer without a store, with the proxy as an option or a variable. */
const withoutStore: ReadonlyArray<
  readonly [string, (urls: Effect.Effect.Success<typeof ArtaEmulator.urls>, proxy: string) => WithoutStore]
> = [
  ["layerWithoutTokenStore", (urls, proxy) => NodeArta.layerWithoutTokenStore({ apiKey: "k", proxy, ...urls })],
  [
    "layerConfigWithoutTokenStore",
    ({ apiUrl, signUpUrl, tokenUrl }, proxy) =>
      Layer.provide(
        NodeArta.layerConfigWithoutTokenStore(),
        Layer.setConfigProvider(
          ConfigProvider.fromMap(
            new Map([
              ["ARTA_API_KEY", "k"],
              ["ARTA_API_URL", apiUrl],
              ["ARTA_SIGN_UP_URL", signUpUrl],
              ["ARTA_TOKEN_URL", tokenUrl],
              ["ARTA_PROXY", proxy]
            ])
          )
        )
      )
  ]
]

describe("The layers of NodeArta", () => {
  it.scopedLive.each(withoutStore)("%s uses the store of the program, and the proxy", ([, layer]) =>
    Effect.gen(function* () {
      const proxy = yield* proxyServer
      const store = yield* Layer.build(TokenStore.layerMemory)
      const urls = yield* ArtaEmulator.urls
      const services = Layer.provide(layer(urls, proxy.url), Layer.succeedContext(store))
      yield* Effect.provide(run, services)
      yield* Effect.provide(run, services)
      expect(proxy.requests.filter((line) => line.includes(urls.signUpUrl))).toHaveLength(1)
    }).pipe(onPort)
  )

  it.effect("name the option or the variable of an invalid proxy", () =>
    Effect.gen(function* () {
      const variables = new Map([
        ["ARTA_API_KEY", "k"],
        ["ARTA_PROXY", "nowhere"]
      ])
      for (const [layer, field] of [
        [NodeArta.layerWithoutTokenStore({ apiKey: "k", proxy: "nowhere" }), "proxy"],
        [NodeArta.layerConfigWithoutTokenStore({ proxy: Config.succeed("nowhere") }), "proxy"],
        [NodeArta.layerConfigWithoutTokenStore(), "ARTA_PROXY"],
        [NodeArta.layerConfig({ proxy: Config.succeed("nowhere") }), "proxy"],
        [NodeArta.layerConfig(), "ARTA_PROXY"]
      ] as const) {
        const built = Effect.scoped(Layer.build(Layer.provide(layer, TokenStore.layerMemory)))
        const error = yield* Effect.flip(Effect.withConfigProvider(built, ConfigProvider.fromMap(variables)))
        expect(error).toMatchObject({ _tag: "InvalidRequestError", field })
      }
    })
  )

  it.scopedLive("send requests as transformClient changes them", () =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/": [respond(200, { record_id: "rec" })] })
      const transformClient = HttpClient.mapRequest(HttpClientRequest.setHeader("x-program", "gallery"))
      expect(yield* submit({ apiUrl: url, transformClient })).toBe("rec")
      expect(requests).toHaveLength(1)
      expect(requests[0]).toMatch(/^x-program: gallery\r$/m)
    })
  )

  // fault: Submit | A connection ends after the request, with a transformed client | `SubmissionUnknownError`, one POST
  it.scopedLive.each(["close", "reset"] as const)("never repeat a submission whose connection ends: %s", (then) =>
    Effect.gen(function* () {
      const { requests, url } = yield* faultServer({ "/": [{ then }] })
      const error = yield* Effect.flip(submit({ apiUrl: url, transformClient: identity }))
      expect(error).toMatchObject({ _tag: "SubmissionUnknownError" })
      expect(requests).toHaveLength(1)
    })
  )

  // fault: Submit | A proxy closes the connection instead of a tunnel, with a transformed client | `TransportError`, unsent
  it.scopedLive("know that nothing was sent if no tunnel opens", () =>
    Effect.gen(function* () {
      const { port } = yield* tcpServer((socket) => socket.end())
      const proxy = `http://127.0.0.1:${String(port)}`
      const error = yield* Effect.flip(submit({ apiUrl: "https://arta.invalid", proxy, transformClient: identity }))
      expect(error).toMatchObject({ _tag: "TransportError", sent: false })
      expect(error.message).toMatch(/: the connection failed: SocketError \(UND_ERR_SOCKET\): other side closed\.$/)
    })
  )

  it.scopedLive("keep how long generations take beside the session", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped()
      const options = { apiKey: "k", tokenFile: `${directory}/session.json`, ...(yield* ArtaEmulator.urls) }
      yield* Effect.provide(run, NodeArta.layer(options))
      expect((yield* fs.readDirectory(directory)).sort()).toEqual(["durations.json", "session.json"])
    }).pipe(onPort)
  )
})

describe("NodeArta.client", () => {
  it("rejects with an InvalidRequestError that names an invalid proxy", async () => {
    await using client = NodeArta.client({ apiKey: "k", tokenFile: "/nowhere", proxy: "nowhere" })
    await expect(client.run({ prompt: "cat" })).rejects.toMatchObject({ _tag: "InvalidRequestError", field: "proxy" })
  })
})
