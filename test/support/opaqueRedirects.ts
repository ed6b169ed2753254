import { FetchHttpClient } from "@effect/platform"
import { Layer } from "effect"

/** A client as in a browser that is told to follow no redirects, and whose every request is redirected. */
export const opaqueRedirects = Layer.provide(
  FetchHttpClient.layer,
  Layer.succeed(FetchHttpClient.Fetch, () => Promise.resolve(Response.error()))
)
