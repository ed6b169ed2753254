import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { Console, Duration, Effect, Layer } from "effect"
import { Arta, ArtaApi, GenerateRequest, TokenStore } from "effect-arta"
import { NodeArta } from "effect-arta/node"

// Submits over one transport, and prints the outcome. Gives up after so many milliseconds, if there are any.
const [, , transport = "", json = "{}", patience = "Infinity"] = process.argv

const options = JSON.parse(json) as NodeArta.Options & { readonly tokenFile: string }

const clients = { fetch: FetchHttpClient.layer, undici: NodeHttpClient.layerUndici }

const services =
  transport === "fetch" || transport === "undici"
    ? Arta.layer(options).pipe(
        Layer.provide(TokenStore.layerFileSystem(options.tokenFile)),
        Layer.provide([NodeContext.layer, clients[transport]])
      )
    : NodeArta.layer(options)

Effect.flatMap(ArtaApi.ArtaApi, (api) => api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))).pipe(
  Effect.timeoutOption(Duration.millis(Number(patience))),
  Effect.map(({ _tag }) => _tag),
  Effect.catchAll(({ _tag }) => Effect.succeed(_tag)),
  Effect.flatMap(Console.log),
  Effect.provide(services),
  NodeRuntime.runMain
)
