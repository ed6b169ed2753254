import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect } from "effect"
import { ArtaApi, GenerateRequest } from "effect-arta"
import { NodeArta } from "effect-arta/node"

// Submits, prints "warm", waits, submits again, and prints the outcome of that.
const [, , options = "{}", pause = "0"] = process.argv

const program = Effect.gen(function* () {
  const api = yield* ArtaApi.ArtaApi
  const submission = api.submit(new GenerateRequest.GenerateRequest({ prompt: "cat" }))
  yield* submission
  yield* Console.log("warm")
  yield* Effect.sleep(Number(pause))
  yield* submission.pipe(
    Effect.as("accepted"),
    Effect.catchAll((error) => Effect.succeed(error.message)),
    Effect.flatMap(Console.log)
  )
})

program.pipe(Effect.provide(NodeArta.layer(JSON.parse(options) as NodeArta.Options)), NodeRuntime.runMain)
