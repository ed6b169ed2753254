import * as Option from "effect/Option"
import type { Argument, Command, Flag } from "./command.js"
import { spelled } from "./command.js"
import { commonFlags, shells } from "./interpret.js"
import type { Value } from "./value.js"

const purpose = "Turn prompts into images through the ARTA API."

const bold = (text: string): string => `\u001b[1m${text}\u001b[0m`

/** A line of help: what is typed, and what it means. */
interface Line {
  readonly typed: string
  readonly meaning: string
}

const table = (lines: ReadonlyArray<Line>): ReadonlyArray<string> => {
  const width = Math.max(...lines.map(({ typed }) => typed.length))
  return lines.map(({ meaning, typed }) => `  ${typed.padEnd(width)}  ${meaning}`)
}

const describe = (summary: string, byDefault: string | undefined): string =>
  byDefault === undefined ? summary : `${summary} [${byDefault}]`

const placeholderOf = ({ accepts, placeholder }: Value<unknown>): string =>
  accepts === undefined ? placeholder : `[${placeholder}]`

const flagLine = (flag: Flag<unknown>): Line => {
  const names = flag.alias === undefined ? spelled(flag) : `-${flag.alias}, ${spelled(flag)}`
  const indent = names.startsWith("--") ? "    " : ""
  const typed = flag.value === undefined ? names : `${names} ${placeholderOf(flag.value)}`
  return { typed: indent + typed, meaning: describe(flag.summary, flag.byDefault) }
}

const argumentLine = ({ summary, value }: Argument<unknown>): Line => ({ typed: value.placeholder, meaning: summary })

const argumentUsage = ({ isRequired, value }: Argument<unknown>): string =>
  isRequired ? value.placeholder : `[${value.placeholder}]`

/** The lines under their headings, with the meanings of all of them in one column. */
const sections = (sections: ReadonlyArray<readonly [heading: string, lines: ReadonlyArray<Line>]>) => {
  const rows = table(sections.flatMap(([, lines]) => lines))
  return sections.flatMap(([heading, lines], index) => {
    const start = sections.slice(0, index).reduce((sum, [, { length }]) => sum + length, 0)
    return [heading, ...rows.slice(start, start + lines.length)]
  })
}

const byGroup = (flags: ReadonlyArray<Flag<unknown>>): ReadonlyArray<readonly [string, ReadonlyArray<Line>]> =>
  [...new Set(flags.map(({ group = "Options" }) => group))].map((heading) => [
    bold(heading),
    flags.filter(({ group = "Options" }) => group === heading).map(flagLine)
  ])

/** The help of `effect-arta` itself. */
const overview = (commands: ReadonlyArray<Command>, version: string): string =>
  [
    `effect-arta ${version}`,
    purpose,
    "",
    `${bold("Usage:")} effect-arta COMMAND [OPTIONS]`,
    "",
    bold("Commands"),
    ...table(commands.map(({ name, summary }) => ({ typed: name, meaning: summary }))),
    "",
    `${bold("Example:")} effect-arta generate 'a lighthouse at dawn' --emulator`,
    "",
    "effect-arta COMMAND --help lists the options of a command.",
    "effect-arta COMMAND --wizard asks for them.",
    `effect-arta --completions SHELL prints completions for ${shells.join(", ")}.`
  ].join("\n")

const usage = ({ args, name }: Command): string =>
  `${bold("Usage:")} ${["effect-arta", name, ...args.map(argumentUsage), "[OPTIONS]"].join(" ")}`

const everyCommand = [commonFlags.help, commonFlags.wizard, commonFlags.logLevel].map((flag) => flagLine(flag).typed)

const commandHelp = (command: Command): string =>
  [
    command.summary,
    ...sections([[usage(command), command.args.map(argumentLine)], ...byGroup(command.flags)]),
    ...(command.examples.length === 0 ? [] : [bold("Examples")]),
    ...command.examples.map((example) => `  ${example}`),
    `${bold("Every command:")} ${everyCommand.map((typed) => typed.trim()).join(" | ")}`
  ].join("\n")

/** The help of a command, or of `effect-arta` itself. */
export const help = (command: Option.Option<Command>, commands: ReadonlyArray<Command>, version: string): string =>
  Option.match(command, { onNone: () => overview(commands, version), onSome: commandHelp })
