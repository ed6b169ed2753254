import { FetchHttpClient } from "@effect/platform"
import { Layer } from "effect"

/** A client like a browser's `fetch` with manual redirects, when every request is redirected. */
export const opaqueRedirects = Layer.provide(
  FetchHttpClient.layer,
  Layer.succeed(FetchHttpClient.Fetch, () => Promise.resolve(Response.error()))
)
