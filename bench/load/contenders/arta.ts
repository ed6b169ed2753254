import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Library from "effect-arta"
import { pathToFileURL } from "node:url"
import type { Contender } from "../measures.js"

/** effect-arta from its built files, with its defaults and the session in memory. */
export const contender: Contender = async ({ dist, server }) => {
  const { Arta, TokenStore } = (await import(pathToFileURL(`${dist}/index.js`).href)) as typeof Library
  const layer = Arta.layer({
    apiKey: "k",
    apiUrl: `${server}/arta`,
    signUpUrl: `${server}/sign-up`,
    tokenUrl: `${server}/token`
  }).pipe(Layer.provide([TokenStore.layerMemory, NodeHttpClient.layerUndici]))

  return (generations, observer) =>
    Effect.forEach(
      Array.from({ length: generations }, (_, i) => i),
      (i) =>
        Effect.match(Arta.run({ prompt: `lighthouse ${String(i)}` }), {
          onFailure: observer.failure,
          onSuccess: ({ images }) => {
            observer.image(images[0].url)
          }
        }),
      { concurrency: "unbounded", discard: true }
    ).pipe(Effect.provide(layer), Effect.runPromise)
}
