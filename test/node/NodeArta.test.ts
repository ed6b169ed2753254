import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it, vi } from "@effect/vitest"
import { Cause, Chunk, Config, ConfigProvider, Effect, Either, Exit, Layer, Redacted, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { Arta, Auth, ImageFile, Polling } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { ArtaEmulator } from "effect-arta/testing"
import { timeout } from "../support/commandWorld.js"
import { emulatorOnPort } from "../support/emulatorOnPort.js"
import { proxyServer } from "../support/proxy.js"
import { runs } from "../support/suite.js"
import { withVariables } from "../support/withVariables.js"

const temporaryDirectory = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())
const counts = Effect.flatMap(ArtaEmulator.ArtaEmulator, (emulator) => emulator.counts)
const onPort = (options: ArtaEmulator.Options = {}) =>
  Effect.provide(Layer.merge(emulatorOnPort(options), NodeContext.layer))

/** Environment variables for the emulator, with a token file in a directory that does not exist yet. */
const variables = Effect.gen(function* () {
  const urls = yield* ArtaEmulator.urls
  return {
    ARTA_API_KEY: "k",
    ARTA_API_URL: urls.apiUrl,
    ARTA_SIGN_UP_URL: urls.signUpUrl,
    ARTA_TOKEN_URL: urls.tokenUrl,
    ARTA_TOKEN_FILE: `${yield* temporaryDirectory}/deep/credentials.json`
  }
})

const invalidProxies = [
  "proxy.example:3128",
  "proxy.example",
  "socks9://x",
  "a-http://proxy.example",
  "http://",
  "http://proxy.example:99999",
  "http://user:100%@proxy.example",
  "http://%E0%A4%A:secret@proxy.example"
]

const settings: Arta.Settings = { polling: Polling.fixed("20 millis") }

describe("NodeArta.layerConfig", () => {
  it.scopedLive("runs the program of the README with environment variables only", () =>
    Effect.gen(function* () {
      const events = yield* Arta.generate(
        { messages: [{ role: "user", content: "cat" }], model: "Flux" },
        settings
      ).pipe(
        Stream.runCollect,
        Effect.provide(NodeArta.layerConfig()),
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(yield* variables))))
      )
      const tags = Chunk.toReadonlyArray(events).map(({ _tag }) => _tag)
      expect([tags.at(0), tags.at(-1)]).toEqual(["Submitted", "Completed"])
    }).pipe(onPort())
  )

  it.effect("names the missing variable", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Effect.provide(Arta.run({ prompt: "cat" }), NodeArta.layerConfig()))
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain("ARTA_API_KEY")
    }).pipe(Effect.withConfigProvider(ConfigProvider.fromMap(new Map())))
  )
})

describe("NodeArta.tokenFile", () => {
  const tokenFile = (variables: ReadonlyArray<readonly [string, string]>) =>
    Effect.withConfigProvider(NodeArta.tokenFile, ConfigProvider.fromMap(new Map(variables)))

  it.effect("is the path of the environment, or a file in the user's configuration directory", () =>
    Effect.gen(function* () {
      expect(yield* tokenFile([["ARTA_TOKEN_FILE", "/somewhere/session.json"]])).toBe("/somewhere/session.json")
      expect(yield* tokenFile([])).toMatch(/[\\/]effect-arta[\\/]credentials\.json$/)
    })
  )

  it.effect.each(["", " ", "\t\n"])("is the default if the variable is blank: %j", (blank) =>
    Effect.gen(function* () {
      expect(yield* tokenFile([["ARTA_TOKEN_FILE", blank]])).toBe(yield* tokenFile([]))
    })
  )
})

describe.skipIf(process.platform === "win32")("NodeArta.layer with a pipe as its token file", () => {
  // fault: Store | The token file is a device or a pipe, for example in `/dev` | no file of durations beside it
  it.scopedLive("writes no file beside it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const tokenFile = `${directory}/pipe`
      execFileSync("sh", ["-c", 'mkfifo "$0"', tokenFile])
      const options = { apiKey: "k", tokenFile, ...(yield* ArtaEmulator.urls) }
      yield* Effect.provide(Arta.run({ prompt: "cat" }, settings), NodeArta.layer(options))
      const fs = yield* FileSystem.FileSystem
      expect(yield* fs.readDirectory(directory)).toEqual(["pipe"])
      expect(yield* counts).toMatchObject({ signUp: 1, submit: 1 })
    }).pipe(onPort())
  )
})

const calls = runs({ quick: 20, full: 200 })

// Many calls on real sockets are slow on a busy machine.
describe("NodeArta.layer", { timeout }, () => {
  it.scopedLive(`signs up once for ${String(calls)} calls, and the next program reuses the session`, () =>
    Effect.gen(function* () {
      const options = {
        apiKey: "k",
        tokenFile: `${yield* temporaryDirectory}/credentials.json`,
        ...(yield* ArtaEmulator.urls)
      }
      yield* Effect.all(Effect.replicate(Arta.run({ prompt: "cat" }), calls), { concurrency: "unbounded" }).pipe(
        Effect.provide(NodeArta.layer(options))
      )
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0, submit: calls })
      yield* Arta.run({ prompt: "cat" }).pipe(Effect.provide(NodeArta.layer(options)))
      expect(yield* counts).toMatchObject({ signUp: 1, refresh: 0, submit: calls + 1 })
    }).pipe(onPort())
  )

  it.scopedLive("saves an image with the services it provides", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const options = { apiKey: "k", tokenFile: `${directory}/credentials.json`, ...(yield* ArtaEmulator.urls) }
      const saved = yield* Arta.run({ prompt: "cat", seed: 7 }).pipe(
        Effect.flatMap((generation) => ImageFile.save(generation, { directory })),
        Effect.provide(NodeArta.layer(options))
      )
      expect(saved.map(({ result }) => result)).toEqual([Either.right(`${directory}/cat-7-0.png`)])
    }).pipe(onPort())
  )

  it.scopedLive("sends all four kinds of requests through the proxy", () =>
    Effect.gen(function* () {
      const proxy = yield* proxyServer
      const urls = yield* ArtaEmulator.urls
      const tokenFile = `${yield* temporaryDirectory}/credentials.json`
      yield* Effect.gen(function* () {
        yield* Arta.run({ prompt: "cat" }, settings)
        const auth = yield* Auth.Auth
        yield* auth.renew(yield* auth.token)
      }).pipe(Effect.provide(NodeArta.layer({ apiKey: "k", tokenFile, proxy: proxy.url, ...urls })))
      expect(proxy.requests).toContain(`POST ${urls.signUpUrl}?key=k`)
      expect(proxy.requests).toContain(`POST ${urls.apiUrl}/text2image`)
      expect(proxy.requests.find((line) => line.startsWith(`GET ${urls.apiUrl}/text2image/record-`))).toMatch(
        /\/status$/
      )
      expect(proxy.requests).toContain(`POST ${urls.tokenUrl}?key=k`)
      const { signUp, refresh, submit, status } = yield* counts
      expect(proxy.requests).toHaveLength(signUp + refresh + submit + status)
    }).pipe(onPort())
  )

  it.scopedLive("opens a tunnel for https", () =>
    Effect.gen(function* () {
      const proxy = yield* proxyServer
      const tokenFile = `${yield* temporaryDirectory}/credentials.json`
      const error = yield* Effect.flip(
        Arta.run({ prompt: "cat" }).pipe(
          Effect.provide(
            NodeArta.layer({
              apiKey: "k",
              tokenFile,
              proxy: Redacted.make(proxy.url),
              signUpUrl: "https://arta.invalid/up"
            })
          )
        )
      )
      expect(error).toMatchObject({ _tag: "TransportError", operation: "signUp" })
      expect(new Set(proxy.requests)).toEqual(new Set(["CONNECT arta.invalid:443"]))
    }).pipe(Effect.provide(NodeContext.layer))
  )

  it.scopedLive("uses HTTP_PROXY, except for the hosts in NO_PROXY", () =>
    Effect.gen(function* () {
      const proxy = yield* proxyServer
      const urls = yield* ArtaEmulator.urls
      const directory = yield* temporaryDirectory
      const run = (name: string) =>
        Arta.run({ prompt: "cat" }, settings).pipe(
          Effect.provide(NodeArta.layer({ apiKey: "k", tokenFile: `${directory}/${name}.json`, ...urls }))
        )
      for (const noProxy of ["127.0.0.1", "elsewhere.test, 127.0.0.1", "elsewhere.test,*", " * "]) {
        yield* withVariables({ http_proxy: proxy.url, no_proxy: noProxy }, run("direct"))
        expect(proxy.requests, noProxy).toEqual([])
      }
      yield* withVariables({ http_proxy: proxy.url, no_proxy: "elsewhere.test" }, run("proxied"))
      expect(proxy.requests).not.toEqual([])
    }).pipe(onPort())
  )

  // fault: Submit | The URL of a proxy is invalid, as an option or in the environment | `InvalidRequestError` that names it, nothing sent
  it.effect.each([...invalidProxies])("rejects the proxy %s with the reason", (proxy) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Layer.build(NodeArta.layer({ apiKey: "k", proxy })))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "proxy", value: "<redacted>" })
      expect(error.message).toContain("http://proxy.example:3128")
    }).pipe(Effect.scoped)
  )

  const proxyVariables = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ARTA_PROXY"]
  it.effect.each(proxyVariables.flatMap((name) => invalidProxies.map((proxy) => [name, proxy] as const)))(
    "names %s if it is %s",
    ([name, proxy]) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Layer.build(NodeArta.layerConfig({ apiKey: Config.succeed("k") })))
        expect(error).toMatchObject({ _tag: "InvalidRequestError", field: name, value: "<redacted>" })
      }).pipe(Effect.scoped, (effect) => withVariables({ [name]: proxy }, effect))
  )
})

describe("NodeArta.client", () => {
  it.scopedLive("reads omitted options from the environment, and keeps the session in the file", () =>
    Effect.gen(function* () {
      const draw = Effect.promise(async () => {
        await using client = NodeArta.client()
        const generation = await client.run({ prompt: "cat" }, settings)
        return generation.images.length
      })
      expect(yield* withVariables(yield* variables, Effect.all([draw, draw]))).toEqual([1, 1])
      expect(yield* counts).toMatchObject({ signUp: 1, submit: 2 })
    }).pipe(onPort())
  )

  it("rejects with an AuthError if there is no API key", async () => {
    vi.stubEnv("ARTA_API_KEY", "")
    await using client = NodeArta.client()
    await expect(client.run({ prompt: "cat" })).rejects.toThrow("ARTA_API_KEY")
    vi.unstubAllEnvs()
  })

  it.scopedLive("prefers its options to the environment", () =>
    Effect.gen(function* () {
      const tokenFile = `${yield* temporaryDirectory}/credentials.json`
      const urls = yield* ArtaEmulator.urls
      yield* Effect.promise(async () => {
        await using client = NodeArta.client({ apiKey: "good", tokenFile, ...urls })
        await client.run({ prompt: "cat" }, settings)
      })
      expect(yield* counts).toMatchObject({ submit: 1 })
    }).pipe(onPort({ apiKeys: ["good"] }))
  )
})
