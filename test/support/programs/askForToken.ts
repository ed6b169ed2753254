import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Redacted } from "effect"
import { Auth } from "effect-arta"
import { NodeArta } from "effect-arta/node"
import { once } from "node:events"

// Prints "ready", waits for a line, and prints its token.
const [, , options = "{}"] = process.argv

const program = Effect.gen(function* () {
  const auth = yield* Auth.Auth
  yield* Console.log("ready")
  yield* Effect.promise(() => once(process.stdin, "data"))
  process.stdin.destroy()
  yield* Console.log(Redacted.value(yield* auth.token))
})

program.pipe(Effect.provide(NodeArta.layer(JSON.parse(options) as NodeArta.Options)), NodeRuntime.runMain)
