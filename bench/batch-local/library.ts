// What a program without the command does: generates and saves the images of each line of a file.
import * as Effect from "effect/Effect"
import type * as Library from "effect-arta"
import type * as Node from "effect-arta/node"
import { readFileSync } from "node:fs"
import { pathToFileURL } from "node:url"

const [dist = "", file = "", directory = ""] = process.argv.slice(2)
const load = (path: string): Promise<unknown> => import(pathToFileURL(`${dist}/${path}`).href)
const { Arta, ImageFile } = (await load("index.js")) as typeof Library
const { NodeArta } = (await load("node/index.js")) as typeof Node

const prompts = readFileSync(file, "utf8")
  .split("\n")
  .filter((line) => line !== "")

await Effect.forEach(
  prompts,
  (prompt) => Effect.flatMap(Arta.run({ prompt }), (generation) => ImageFile.save(generation, { directory })),
  { concurrency: 4, discard: true }
).pipe(Effect.provide(NodeArta.layerConfig()), Effect.runPromise)
