import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { run } from "./commandLine/run.js"
import { exitCodeOf } from "./shared/errors.js"
import * as PlainConsole from "./shared/console.js"

const mainLayer = Layer.mergeAll(
  NodeContext.layer,
  PlainConsole.layer,
  // Logs go to standard error: standard output has results only.
  Logger.replace(Logger.defaultLogger, Logger.prettyLogger({ stderr: true }))
)

/** Runs a command line as the process. */
export const start = (args: ReadonlyArray<string>, version: string): void => {
  run(version)(args).pipe(
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
}
