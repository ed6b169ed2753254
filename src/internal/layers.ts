import * as Config from "effect/Config"
import type { ConfigError } from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ArtaApi } from "../ArtaApi.js"
import type { InvalidRequestError } from "../ArtaError.js"
import { Auth } from "../Auth.js"
import type { TokenStore } from "../TokenStore.js"
import { makeApi } from "./artaApi/makeApi.js"
import type { ApiOptions, AuthOptions, Overrides } from "./config.js"
import { apiVariables, authVariables, toConfigError } from "./config.js"
import { makeAuth } from "./identity/makeAuth.js"
import type { Transport } from "./transport.js"

export interface ServiceOptions extends ApiOptions, AuthOptions {}

/** `ArtaApi` and `Auth` over any transport. */
export const layer = (
  options: ServiceOptions
): Layer.Layer<ArtaApi | Auth, InvalidRequestError, TokenStore | Transport> =>
  Layer.provideMerge(Layer.effect(ArtaApi, makeApi(options)), Layer.scoped(Auth, makeAuth(options)))

export const layerConfig = (
  config: Overrides<ServiceOptions>
): Layer.Layer<ArtaApi | Auth, ConfigError, TokenStore | Transport> =>
  Config.all({ ...apiVariables(config), ...authVariables(config) }).pipe(
    Effect.map(layer),
    Layer.unwrapEffect,
    Layer.mapError(toConfigError(config))
  )
