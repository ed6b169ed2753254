import { createRequire } from "node:module"
import type { Contender } from "../measures.js"
import { allAtOnce } from "../measures.js"

interface Replicate {
  readonly run: (model: "arta/flux", options: { readonly input: { readonly prompt: string } }) => Promise<[string]>
}

type New = new (options: { readonly auth: string; readonly baseUrl: string }) => Replicate

/** The `replicate` package at its defaults. The server does not hold requests back, so it polls. */
export const contender: Contender = ({ peers, server }) => {
  const Replicate = createRequire(`${peers}/`)("replicate") as New
  const client = new Replicate({ auth: "k", baseUrl: `${server}/replicate` })
  return Promise.resolve(
    allAtOnce(async (i) => {
      const [image] = await client.run("arta/flux", { input: { prompt: `lighthouse ${String(i)}` } })
      return image
    })
  )
}
