#!/usr/bin/env node
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import { run } from "./commands.js"
import { exitCodeOf } from "./shared/errors.js"
import * as PlainConsole from "./shared/console.js"

const Manifest = Schema.parseJson(Schema.Struct({ version: Schema.String }))

const version = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const manifest = yield* fs.readFileString(fileURLToPath(new URL("../../package.json", import.meta.url)))
  return (yield* Schema.decode(Manifest)(manifest)).version
}).pipe(Effect.orDie)

// The parser reads a lone hyphen as an unknown option, and everything after it as arguments.
const moveHyphenLast = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.includes("-") && !args.includes("--") ? [...args.filter((arg) => arg !== "-"), "-"] : args

const program = Effect.flatMap(version, (version) => run(version)(moveHyphenLast(process.argv)))

const mainLayer = Layer.mergeAll(
  NodeContext.layer,
  PlainConsole.layer,
  // Logs go to standard error: standard output has results only.
  Logger.replace(Logger.defaultLogger, Logger.prettyLogger({ stderr: true }))
)

// Keep saving after EPIPE, as when the output is piped into `head`.
const ignoreEpipe = (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error
}
process.stdout.on("error", ignoreEpipe)
process.stderr.on("error", ignoreEpipe)

program.pipe(
  Effect.provide(mainLayer),
  NodeRuntime.runMain({
    // The command has printed its failure already.
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, end) => {
      end(exitCodeOf(exit))
    }
  })
)
