/**
 * Ready-made layers and a client for Node: undici, HTTP proxies, and a private file for the session.
 *
 * @example
 * ```ts
 * import { Arta } from "effect-arta"
 * import { NodeArta } from "effect-arta/node"
 * import { NodeRuntime } from "@effect/platform-node"
 * import { Effect } from "effect"
 *
 * export const main = Arta.run({ prompt: "a lighthouse at dawn" }).pipe(
 *   Effect.flatMap((generation) => Effect.log(generation.images[0].url)),
 *   Effect.provide(NodeArta.layerConfig())
 * )
 *
 * export const start = () => NodeRuntime.runMain(main)
 * ```
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { dirname, join } from "node:path"
import type * as Arta from "../Arta.js"
import type { ArtaApi } from "../ArtaApi.js"
import * as ArtaClient from "../ArtaClient.js"
import { AuthError, InvalidRequestError } from "../ArtaError.js"
import type { Auth } from "../Auth.js"
import * as DurationStore from "../DurationStore.js"
import type { Overrides } from "../internal/config.js"
import { fromConfigError, optional } from "../internal/config.js"
import { isSpecialFile } from "../internal/fileAccess.js"
import type { ProxyOption } from "../internal/node/agent.js"
import { layerHttpTransport } from "../internal/httpTransport.js"
import * as Layers from "../internal/layers.js"
import { makeDispatch } from "../internal/node/dispatcher.js"
import { defaultTokenFile, unknownHome } from "../internal/node/tokenFile.js"
import { undiciTransport } from "../internal/node/undiciTransport.js"
import { Transport } from "../internal/transport.js"
import * as TokenStore from "../TokenStore.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options extends Arta.LayerOptions {
  /**
   * The file that stores the session. Default: `effect-arta/credentials.json` in the user's configuration directory.
   * `durations.json` beside it stores how long generations take: see `DurationStore`. Both are kept in memory if the
   * file is a device, a pipe or a socket. A blank text counts as missing.
   */
  readonly tokenFile?: string | undefined
  /** The URL of the HTTP proxy for every request. Default: `HTTPS_PROXY`, `HTTP_PROXY`, and `NO_PROXY`. */
  readonly proxy?: Redacted.Redacted | string | undefined
}

/**
 * The services that the layers of this module provide.
 *
 * @since 0.1.0
 * @category models
 */
export type Services =
  ArtaApi | Auth | TokenStore.TokenStore | HttpClient.HttpClient | FileSystem.FileSystem | Path.Path

type Platform = HttpClient.HttpClient | FileSystem.FileSystem | Path.Path | TokenStore.TokenStore | Transport

/** An `HttpClient`, and the transport of the services: over that client if it is transformed. */
const http = (
  proxy: ProxyOption,
  { transformClient }: Arta.ClientOptions
): Layer.Layer<HttpClient.HttpClient | Transport, InvalidRequestError> =>
  Effect.map(makeDispatch(proxy), ({ dispatch, dispatcher }) => {
    const client = Layer.provide(
      NodeHttpClient.layerUndiciWithoutDispatcher,
      Layer.succeed(NodeHttpClient.Dispatcher, dispatcher)
    )
    return transformClient === undefined
      ? Layer.merge(client, Layer.succeed(Transport, undiciTransport(dispatch)))
      : Layer.provideMerge(layerHttpTransport(transformClient), client)
  }).pipe(Layer.unwrapScoped)

const withDefault = (file: string | undefined): Option.Option<string> =>
  Option.fromNullable(file).pipe(
    Option.filter((file) => file.trim() !== ""),
    Option.orElse(defaultTokenFile)
  )

/**
 * The file in which `layerConfig` stores the session: `ARTA_TOKEN_FILE`, or `effect-arta/credentials.json` in the
 * user's configuration directory. Fails if that is unknown, as for a user without a home directory.
 *
 * @since 0.1.0
 * @category config
 */
export const tokenFile: Config.Config<string> = Config.mapOrFail(optional("ARTA_TOKEN_FILE"), (file) =>
  Either.fromOption(withDefault(file), () => ConfigError.InvalidData(["ARTA_TOKEN_FILE"], unknownHome))
)

/** Beside a device, as in `/dev`, no file is created. */
const durations = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => isSpecialFile(fs, file)).pipe(
    Effect.map((isSpecial) =>
      isSpecial ? Layer.empty : DurationStore.layerFileSystem(join(dirname(file), "durations.json"))
    ),
    Layer.unwrapEffect
  )

const store = (file: string | undefined) =>
  Option.match(withDefault(file), {
    onNone: () =>
      Layer.fail(
        new InvalidRequestError({ field: "tokenFile", value: "missing", allowed: `a path, because ${unknownHome}` })
      ),
    onSome: (file) => Layer.provideMerge(durations(file), TokenStore.layerFileSystem(file))
  })

const platform = (
  file: string | undefined,
  proxy: ProxyOption,
  options: Arta.ClientOptions
): Layer.Layer<Platform, InvalidRequestError> =>
  Layer.suspend(() => store(file)).pipe(
    Layer.provideMerge(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, http(proxy, options)))
  )

/**
 * Provides all services on Node.
 *
 * Fails with `InvalidRequestError` if a URL of a service or of the proxy is not an http or https URL, if there is
 * neither a `tokenFile` nor a home directory, or if undici does not work here, as in Bun: use `Arta.layer` with
 * `FetchHttpClient.layer` there.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Services, InvalidRequestError> =>
  Layer.provideMerge(Layers.layer(options), platform(options.tokenFile, { name: "proxy", url: options.proxy }, options))

/**
 * Like `layer`, but the program provides the `TokenStore`, for example one that several machines share. `tokenFile` is
 * not an option, and the durations of generations are learned in memory only: provide a `DurationStore` to keep them.
 *
 * @example
 * ```ts
 * import { TokenStore } from "effect-arta"
 * import { NodeArta } from "effect-arta/node"
 * import { Layer } from "effect"
 *
 * export const WithoutFile = NodeArta.layerWithoutTokenStore({ apiKey: "the key of a project" }).pipe(
 *   Layer.provide(TokenStore.layerMemory)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWithoutTokenStore = (
  options: Omit<Options, "tokenFile">
): Layer.Layer<Exclude<Services, TokenStore.TokenStore>, InvalidRequestError, TokenStore.TokenStore> =>
  Layers.layer(options).pipe(
    Layer.provideMerge(http({ name: "proxy", url: options.proxy }, options)),
    Layer.provideMerge(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )

/**
 * Provides all services on Node, configured by `Config`. Options that `config` omits are read from `ARTA_API_KEY`,
 * `ARTA_API_URL`, `ARTA_SIGN_UP_URL`, `ARTA_TOKEN_URL`, `ARTA_TOKEN_FILE`, and `ARTA_PROXY`.
 *
 * Fails with a `ConfigError` that names the variable if there is no API key, or if the URL of a service is invalid, and
 * with `InvalidRequestError` as `layer` does.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Overrides<Options> = {}
): Layer.Layer<Services, ConfigError.ConfigError | InvalidRequestError> =>
  Layer.provideMerge(
    Layers.layerConfig(config),
    Config.all({
      file: config.tokenFile ?? optional("ARTA_TOKEN_FILE"),
      url: config.proxy ?? optional("ARTA_PROXY")
    }).pipe(
      Effect.map(({ file, url }) =>
        platform(file, { name: config.proxy === undefined ? "ARTA_PROXY" : "proxy", url }, config)
      ),
      Layer.unwrapEffect
    )
  )

/**
 * Like `layerConfig`, but the program provides the `TokenStore`, as with `layerWithoutTokenStore`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfigWithoutTokenStore = (
  config: Omit<Overrides<Options>, "tokenFile"> = {}
): Layer.Layer<
  Exclude<Services, TokenStore.TokenStore>,
  ConfigError.ConfigError | InvalidRequestError,
  TokenStore.TokenStore
> =>
  Layers.layerConfig(config).pipe(
    Layer.provideMerge(
      Effect.map(config.proxy ?? optional("ARTA_PROXY"), (url) =>
        http({ name: config.proxy === undefined ? "ARTA_PROXY" : "proxy", url }, config)
      ).pipe(Layer.unwrapEffect)
    ),
    Layer.provideMerge(Layer.merge(NodeFileSystem.layer, NodePath.layer))
  )

const fixedConfig = <A>(value: A | undefined): Config.Config<A> | undefined =>
  value === undefined ? undefined : Config.succeed(value)

/**
 * Makes a promise client that uses undici and stores the session in a file. The first call reads omitted options from
 * the environment, and throws an `AuthError` if there is no API key, and an `InvalidRequestError` that names the
 * variable or the option if a value is invalid.
 *
 * @example
 * ```ts
 * import { NodeArta } from "effect-arta/node"
 *
 * export const generate = async () => {
 *   await using client = NodeArta.client()
 *   const generation = await client.run({ prompt: "a lighthouse at dawn" })
 *   return generation.images[0].url
 * }
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const client = (options: Partial<Options> = {}): ArtaClient.ArtaClient =>
  layerConfig({
    apiKey: fixedConfig(options.apiKey),
    apiUrl: fixedConfig(options.apiUrl),
    signUpUrl: fixedConfig(options.signUpUrl),
    tokenUrl: fixedConfig(options.tokenUrl),
    tokenFile: fixedConfig(options.tokenFile),
    proxy: fixedConfig(options.proxy),
    transformClient: options.transformClient
  }).pipe(
    Layer.mapError((error) => {
      if (!ConfigError.isConfigError(error)) return error
      // Only the API key is required.
      return ConfigError.isMissingDataOnly(error)
        ? new AuthError({ reason: "API_KEY_MISSING" })
        : fromConfigError(error)
    }),
    ArtaClient.fromLayer
  )
