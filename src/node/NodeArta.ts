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
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import { isConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import envPaths from "env-paths"
import { join } from "node:path"
import * as Arta from "../Arta.js"
import type { ArtaApi } from "../ArtaApi.js"
import * as ArtaClient from "../ArtaClient.js"
import type { InvalidRequestError } from "../ArtaError.js"
import { AuthError } from "../ArtaError.js"
import type { Auth } from "../Auth.js"
import type { Overrides } from "../internal/config.js"
import { optional } from "../internal/config.js"
import { makeDispatcher } from "../internal/node/dispatcher.js"
import * as TokenStore from "../TokenStore.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options extends Arta.LayerOptions {
  /**
   * The file that stores the session. Default: `effect-arta/credentials.json` in the user's configuration directory.
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

const httpClient = (proxy: Options["proxy"]): Layer.Layer<HttpClient.HttpClient, InvalidRequestError> =>
  Layer.provide(
    NodeHttpClient.layerUndiciWithoutDispatcher,
    Layer.scoped(NodeHttpClient.Dispatcher, makeDispatcher(proxy))
  )

const defaultTokenFile = join(envPaths("effect-arta", { suffix: "" }).config, "credentials.json")

/**
 * The file in which `layerConfig` stores the session: `ARTA_TOKEN_FILE`, or `effect-arta/credentials.json` in the
 * user's configuration directory.
 *
 * @since 0.1.0
 * @category config
 */
export const tokenFile: Config.Config<string> = Config.map(
  optional("ARTA_TOKEN_FILE"),
  (file) => file ?? defaultTokenFile
)

const platform = (options: Pick<Options, "proxy" | "tokenFile">) =>
  TokenStore.layerFileSystem(options.tokenFile ?? defaultTokenFile).pipe(
    Layer.provideMerge(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, httpClient(options.proxy)))
  )

/**
 * Provides all services on Node.
 *
 * Fails with `InvalidRequestError` if the proxy is not an http or https URL.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Services, InvalidRequestError> =>
  Layer.provideMerge(Arta.layer(options), platform(options))

/**
 * Provides all services on Node, configured by `Config`. Options that `config` omits are read from `ARTA_API_KEY`,
 * `ARTA_API_URL`, `ARTA_SIGN_UP_URL`, `ARTA_TOKEN_URL`, `ARTA_TOKEN_FILE`, and `ARTA_PROXY`.
 *
 * Fails with `ConfigError` if there is no API key, and with `InvalidRequestError` if the proxy is not an http or https
 * URL.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Overrides<Options> = {}
): Layer.Layer<Services, ConfigError | InvalidRequestError> =>
  Layer.provideMerge(
    Arta.layerConfig(config),
    Config.all({
      tokenFile: config.tokenFile ?? tokenFile,
      proxy: config.proxy ?? optional("ARTA_PROXY")
    }).pipe(Effect.map(platform), Layer.unwrapEffect)
  )

const fixedConfig = <A>(value: A | undefined): Config.Config<A> | undefined =>
  value === undefined ? undefined : Config.succeed(value)

/**
 * Makes a promise client that uses undici and stores the session in a file. The first call reads omitted options from
 * the environment, and throws an `AuthError` if there is no API key.
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
    // Only the API key is required. A `ConfigError` is not an `Error`, so do not throw it.
    Layer.mapError((error) => (isConfigError(error) ? new AuthError({ reason: "API_KEY_MISSING" }) : error)),
    ArtaClient.fromLayer
  )
