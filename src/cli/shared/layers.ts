import type * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import { isConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ArtaApi, ArtaError, Auth, TokenStore } from "effect-arta"
import type * as NodeArtaModule from "effect-arta/node"
import type { SetupError } from "./errors.js"
import { fromConfigError } from "./errors.js"
import type { ServiceOptions } from "./options.js"
import { settings } from "./settings.js"
import * as SubmissionJournal from "./submissionJournal.js"

type Services = ArtaApi.ArtaApi | Auth.Auth | TokenStore.TokenStore | HttpClient.HttpClient

const emulatorLayer: Layer.Layer<Services> = Effect.promise(() => import("effect-arta/testing")).pipe(
  Effect.map(({ ArtaEmulator }) => ArtaEmulator.layerArta()),
  Layer.unwrapEffect
)

const configOf = (proxy: ServiceOptions["proxy"]) => ({
  proxy: Option.getOrUndefined(Option.map(proxy, Config.succeed))
})

/** A layer of `NodeArta`, configured by `settings`. */
const configured = <A, R>(
  makeLayer: (module: typeof NodeArtaModule) => Layer.Layer<A, ConfigError | ArtaError.InvalidRequestError, R>
) =>
  Effect.gen(function* () {
    const layer = makeLayer(yield* Effect.promise(() => import("effect-arta/node")))
    return Layer.provideMerge(layer, Layer.setConfigProvider(yield* settings))
  }).pipe(
    Layer.unwrapEffect,
    Layer.mapError((error) => (isConfigError(error) ? fromConfigError(error) : error))
  )

const realLayer = (proxy: ServiceOptions["proxy"]) =>
  configured(({ NodeArta }) => NodeArta.layerConfig(configOf(proxy)))

/** The services of a command: the real ones, configured by `settings`, or the emulator in memory. */
export const services = ({
  emulator,
  proxy
}: Pick<ServiceOptions, "emulator" | "proxy">): Layer.Layer<
  Services,
  SetupError | ArtaError.InvalidRequestError,
  FileSystem.FileSystem | Path.Path
> => Layer.provideMerge(SubmissionJournal.layer, servicesWithoutJournal({ emulator, proxy }))

/** The same without a journal, for commands that record submissions elsewhere: in a database, or in a log. */
export const servicesWithoutJournal = ({
  emulator,
  proxy
}: Pick<ServiceOptions, "emulator" | "proxy">): ReturnType<typeof services> =>
  emulator ? emulatorLayer : realLayer(proxy)

/** The same with another store for the session. */
export const servicesWithStore = <R>(
  { emulator, proxy }: Pick<ServiceOptions, "emulator" | "proxy">,
  store: Layer.Layer<TokenStore.TokenStore, never, R>
): Layer.Layer<Services, SetupError | ArtaError.InvalidRequestError, FileSystem.FileSystem | Path.Path | R> =>
  emulator
    ? emulatorLayer
    : Layer.provideMerge(
        configured(({ NodeArta }) => NodeArta.layerConfigWithoutTokenStore(configOf(proxy))),
        store
      )
