import { createRequire } from "node:module"
import type { Contender } from "../measures.js"
import { runConcurrently } from "../measures.js"

interface Replicate {
  readonly run: (model: "arta/flux", options: { readonly input: { readonly prompt: string } }) => Promise<[string]>
}

type ReplicateConstructor = new (options: { readonly auth: string; readonly baseUrl: string }) => Replicate

/** The `replicate` package with its defaults. The server does not hold requests open, so the package polls. */
export const contender: Contender = ({ packages, server }) => {
  const Replicate = createRequire(`${packages}/`)("replicate") as ReplicateConstructor
  const client = new Replicate({ auth: "k", baseUrl: `${server}/replicate` })
  return Promise.resolve(
    runConcurrently(async (i) => {
      const [image] = await client.run("arta/flux", { input: { prompt: `lighthouse ${String(i)}` } })
      return image
    })
  )
}
