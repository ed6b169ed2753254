import { createRequire } from "node:module"
import type { Contender } from "../measures.js"
import { runConcurrently } from "../measures.js"

interface Fal {
  readonly createFalClient: (options: {
    readonly credentials: string
    readonly requestMiddleware: <R extends { readonly url: string }>(request: R) => Promise<R>
  }) => {
    readonly subscribe: (
      model: "arta/flux",
      options: { readonly input: { readonly prompt: string } }
    ) => Promise<{ readonly data: { readonly images: readonly [{ readonly url: string }] } }>
  }
}

/** The `@fal-ai/client` package with its defaults. The middleware sends its requests to the benchmark server. */
export const contender: Contender = ({ packages, server }) => {
  const { createFalClient } = createRequire(`${packages}/`)("@fal-ai/client") as Fal
  const client = createFalClient({
    credentials: "k",
    requestMiddleware: (request) =>
      Promise.resolve({ ...request, url: request.url.replace("https://queue.fal.run", `${server}/fal`) })
  })
  return Promise.resolve(
    runConcurrently(async (i) => {
      const { data } = await client.subscribe("arta/flux", { input: { prompt: `lighthouse ${String(i)}` } })
      return data.images[0].url
    })
  )
}
