// What a program without the server does: generates and loads images, as many at once as the server's clients do.
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type * as Library from "effect-arta"
import type * as Node from "effect-arta/node"
import { pathToFileURL } from "node:url"
import type { Job } from "./job.js"

const [dist = ""] = process.argv.slice(2)
const load = (path: string): Promise<unknown> => import(pathToFileURL(`${dist}/${path}`).href)
const { Arta, ImageFile } = (await load("index.js")) as typeof Library
const { NodeArta } = (await load("node/index.js")) as typeof Node

const runtime = ManagedRuntime.make(NodeArta.layerConfig())

const run = ({ concurrency, generations }: Job) =>
  Effect.forEach(
    Array.range(1, generations),
    (index) =>
      Effect.flatMap(Arta.run({ prompt: `a fox ${String(index)}` }), (generation) => ImageFile.load(generation)),
    { concurrency, discard: true }
  )

process.on("message", (message: "cpu" | Job) => {
  if (message !== "cpu") void runtime.runPromise(run(message)).then(() => process.send?.("done"))
})
process.send?.("ready")
