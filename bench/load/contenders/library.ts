import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Library from "effect-arta"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { Contender, Environment } from "../measures.js"

/** Imports an entry of the built library. */
export const importBuilt = async <A>(dist: string, entry: string): Promise<A> =>
  (await import(pathToFileURL(join(dist, entry)).href)) as A

export const addresses = (server: string) => ({
  apiKey: "k",
  apiUrl: `${server}/arta`,
  signUpUrl: `${server}/sign-up`,
  tokenUrl: `${server}/token`
})

/**
 * A contender that calls `Arta.run` with the given layer. By the clock it polls with the default schedule; otherwise it
 * polls at the interval of the loops, because the adaptive schedule would send other requests at other times.
 */
export const generateWith =
  (makeLayer: (environment: Environment) => Promise<Layer.Layer<Library.ArtaApi.ArtaApi, unknown>>): Contender =>
  async (environment) => {
    const { Arta, Polling } = await importBuilt<typeof Library>(environment.dist, "index.js")
    const layer = await makeLayer(environment)
    const settings = environment.mode === "clock" ? {} : { polling: Polling.fixed(environment.interval) }

    return ({ concurrency, generations }, observer) =>
      Effect.forEach(
        Array.from({ length: generations }, (_, i) => i),
        (i) =>
          Effect.match(Arta.run({ prompt: `lighthouse ${String(i)}` }, settings), {
            onFailure: observer.failure,
            onSuccess: ({ images }) => {
              observer.image(images[0].url)
            }
          }),
        { concurrency, discard: true }
      ).pipe(Effect.provide(layer), Effect.runPromise)
  }
