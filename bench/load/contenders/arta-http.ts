import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Layer from "effect/Layer"
import type * as Library from "effect-arta"
import { addresses, generateWith, importBuilt } from "./library.js"

/** effect-arta over the `HttpClient` of `@effect/platform-node`, with its defaults and the session in memory. */
export const contender = generateWith(async ({ dist, server }) => {
  const { Arta, TokenStore } = await importBuilt<typeof Library>(dist, "index.js")
  return Layer.provide(Arta.layer(addresses(server)), [TokenStore.layerMemory, NodeHttpClient.layerUndici])
})
