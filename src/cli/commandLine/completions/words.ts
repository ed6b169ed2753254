import type { Argument, Command, Flag } from "../command.js"
import { spelled } from "../command.js"
import type { Completion } from "../value.js"
import { commonFlags } from "../interpret.js"

/** What the scripts complete besides the descriptions of commands. */
export interface Names {
  readonly models: ReadonlyArray<string>
}

export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Every spelling of a flag. */
export const spellings = (flag: Flag<unknown>): ReadonlyArray<string> =>
  flag.alias === undefined ? [spelled(flag)] : [`-${flag.alias}`, spelled(flag)]

export const flagsOf = (command: Command): ReadonlyArray<Flag<unknown>> => [
  ...command.flags,
  commonFlags.help,
  commonFlags.wizard,
  commonFlags.logLevel
]

/** The flags before a command. */
export const flagsAlone: ReadonlyArray<Flag<unknown>> = [
  commonFlags.help,
  commonFlags.version,
  commonFlags.completions,
  commonFlags.logLevel
]

/** The words that a value can be, or that it is a path, or neither. */
export type Choices =
  | { readonly _tag: "Words"; readonly words: ReadonlyArray<string> }
  | { readonly _tag: "Path"; readonly of: "file" | "directory" }
  | { readonly _tag: "Anything" }

export const choicesOf = (completion: Completion | undefined, { models }: Names): Choices => {
  if (completion === undefined) return { _tag: "Anything" }
  if (completion === "file" || completion === "directory") return { _tag: "Path", of: completion }
  return { _tag: "Words", words: completion === "model" ? models : completion }
}

export interface Subcommand {
  readonly name: string
  readonly summary: string
}

/** The commands that are one word. */
export const topLevel = (commands: ReadonlyArray<Command>): ReadonlyArray<Command> =>
  commands.filter(({ name }) => !name.includes(" "))

/** The second words of the commands below `command`. */
export const subcommandsOf = (command: Command, commands: ReadonlyArray<Command>): ReadonlyArray<Subcommand> =>
  commands
    .filter(({ name }) => name.startsWith(`${command.name} `))
    .map(({ name, summary }) => ({ name: name.slice(command.name.length + 1), summary }))

export const firstArgument = ({ args }: Command): Argument<unknown> | undefined => args[0]
