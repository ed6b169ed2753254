import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect } from "effect"
import { TokenStore } from "effect-arta"
import { numberedSession } from "../numberedSession.js"

// Saves one session after the other, and prints the number of each saved session.
const [, , file = "", first = "0"] = process.argv

const program = Effect.gen(function* () {
  const store = yield* TokenStore.TokenStore
  for (let number = Number(first); ; number += 1) {
    yield* store.exclusively(store.save(numberedSession(number)))
    process.stdout.write(`${String(number)}\n`)
  }
})

program.pipe(
  Effect.provide(TokenStore.layerFileSystem(file)),
  Effect.provide([NodeFileSystem.layer, NodePath.layer]),
  NodeRuntime.runMain
)
