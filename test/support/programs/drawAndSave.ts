import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Console, Effect, Stream } from "effect"
import { Arta, ImageFile, Polling } from "effect-arta"
import { NodeArta } from "effect-arta/node"

// Generates an image and saves it. Prints each event, the path at the end, and "Interrupted" on an interruption.
const [, , options = "{}", directory = "."] = process.argv

const program = Arta.generate({ prompt: "cat" }, { polling: Polling.fixed("20 millis") }).pipe(
  Stream.tap((event) => Console.log(event._tag)),
  Stream.filter((event) => event._tag === "Completed"),
  Stream.mapEffect((completed) => ImageFile.save(completed, { directory })),
  Stream.flattenIterables,
  Stream.mapEffect(({ result }) => result),
  Stream.runForEach((path) => Console.log(path)),
  Effect.onInterrupt(() => Console.log("Interrupted"))
)

program.pipe(Effect.provide(NodeArta.layer(JSON.parse(options) as NodeArta.Options)), NodeRuntime.runMain)
