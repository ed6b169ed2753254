import type { HttpClient } from "@effect/platform"
import { FetchHttpClient, FileSystem } from "@effect/platform"
import { NodeContext, NodeHttpClient } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { Arta, ArtaApi } from "effect-arta"
import type { ArtaError, Auth } from "effect-arta"
import { TokenStore } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { storedSession } from "./storedSession.js"

interface Options {
  readonly tokenFile: string
  readonly apiUrl?: string
  readonly signUpUrl?: string
  readonly tokenUrl?: string
}

type Services = Layer.Layer<ArtaApi.ArtaApi | Auth.Auth | TokenStore.TokenStore, ArtaError.InvalidRequestError>

/** `ArtaApi` and `Auth` over one transport, with the session in a file. */
export type Transport = (options: Options) => Services

const overClient =
  (client: Layer.Layer<HttpClient.HttpClient>): Transport =>
  ({ tokenFile, ...urls }) =>
    Arta.layer({ apiKey: "k", ...urls }).pipe(
      Layer.provideMerge(TokenStore.layerFileSystem(tokenFile)),
      Layer.provide([NodeContext.layer, client])
    )

// By default, fetch follows redirects.
const fetchManually = Layer.provide(
  FetchHttpClient.layer,
  Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" })
)

/** Every way in which the library sends requests: through an `HttpClient`, and `NodeArta` through undici itself. */
export const transports: ReadonlyArray<readonly [string, Transport]> = [
  ["undici's HttpClient", overClient(NodeHttpClient.layerUndici)],
  ["fetch", overClient(fetchManually)],
  ["NodeArta", (options) => NodeArta.layer({ apiKey: "k", ...options })]
]

/** The path of a token file that does not exist yet. */
export const newTokenFile = Effect.flatMap(FileSystem.FileSystem, (fs) =>
  Effect.map(fs.makeTempDirectoryScoped(), (directory) => `${directory}/credentials.json`)
).pipe(Effect.provide(NodeContext.layer))

/** `ArtaApi` with a session that is valid for an hour. */
export const apiAt = (transport: Transport, apiUrl: string) =>
  storedSession.pipe(
    Effect.provide(NodeContext.layer),
    Effect.flatMap((tokenFile) => Layer.build(transport({ tokenFile, apiUrl }))),
    Effect.map(Context.get(ArtaApi.ArtaApi))
  )
