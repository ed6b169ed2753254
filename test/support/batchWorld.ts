import { Effect } from "effect"
import { command } from "./command.js"
import { setUp } from "./commandWorld.js"
import { editDatabase } from "./editDatabase.js"

export const prompts = ["a fox", "a hare", "an owl", "a fox"]

/** A temporary directory for prompt files and their images. */
export const batch = Effect.gen(function* () {
  const world = yield* setUp
  const { env, directory, fs, images } = world
  const file = (name: string, text: string) =>
    Effect.as(fs.writeFileString(`${directory}/${name}`, text), `${directory}/${name}`)
  const run = (path: string, ...args: ReadonlyArray<string>) => command(["batch", path, "-o", images, ...args], { env })
  const saved = Effect.map(
    Effect.orElseSucceed(fs.readDirectory(images), () => []),
    (names) => names.filter((name) => name.endsWith(".png")).sort()
  )
  /** Changes the tables of the database beside the images. */
  const edit = (statements: Parameters<typeof editDatabase>[1]) => editDatabase(`${images}/effect-arta.db`, statements)
  return { ...world, edit, file, run, saved }
})
