import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { NodeArta } from "effect-arta/node"

// Builds the layer without any request. Prints "built", or why not, and the default token file.
const [, , options = "{}"] = process.argv

const build = Effect.void.pipe(
  Effect.provide(NodeArta.layer(JSON.parse(options) as NodeArta.Options)),
  Effect.as("built"),
  Effect.catchAll((error) => Effect.succeed(`${error._tag} ${error.message}`))
)

build.pipe(
  Effect.flatMap(Console.log),
  Effect.zipRight(Effect.catchAll(NodeArta.tokenFile, (error) => Effect.succeed(JSON.stringify(error)))),
  Effect.flatMap(Console.log),
  NodeRuntime.runMain
)
