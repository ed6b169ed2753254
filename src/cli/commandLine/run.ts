import type * as NodeContext from "@effect/platform-node/NodeContext"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { commands } from "../commands.js"
import { Ended, exitCodes, printFailures } from "../shared/errors.js"
import type { Program } from "./command.js"
import { completions } from "./completions.js"
import { help } from "./help.js"
import type { Interpretation, LogLevel as LevelName } from "./interpret.js"
import { interpret } from "./interpret.js"
import { wizard } from "./wizard.js"

type CommandEffect = Effect.Effect<void, Ended, NodeContext.NodeContext>

const levels: Record<LevelName, LogLevel.LogLevel> = {
  all: LogLevel.All,
  trace: LogLevel.Trace,
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  fatal: LogLevel.Fatal,
  none: LogLevel.None
}

const runProgram = ({ load, watchFlags }: Program, version: string): CommandEffect =>
  printFailures(Effect.flatten(Effect.promise(() => load(version))), watchFlags)

/** Does what a command line asks for. */
const perform = (asked: Interpretation, version: string): CommandEffect => {
  switch (asked._tag) {
    case "Help":
      return Console.log(help(asked.command, commands, version))
    case "Version":
      return Console.log(version)
    case "Completions":
      return Console.log(completions(asked.shell, commands))
    case "Wizard":
      return Effect.flatMap(
        wizard(asked.command, commands),
        Option.match({ onNone: () => Effect.void, onSome: (args) => run(version)(args) })
      )
    case "Run":
      return Option.match(asked.logLevel, {
        onNone: () => runProgram(asked.program, version),
        onSome: (level) => Logger.withMinimumLogLevel(runProgram(asked.program, version), levels[level])
      })
  }
}

/** Runs the words after `effect-arta`. */
export const run =
  (version: string) =>
  (args: ReadonlyArray<string>): CommandEffect =>
    Either.match(interpret(args, commands), {
      onLeft: (problem) => Effect.zipRight(Console.error(problem), new Ended({ exitCode: exitCodes.usage })),
      onRight: (asked) => perform(asked, version)
    })
