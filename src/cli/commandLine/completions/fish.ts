import type { Command, Flag } from "../command.js"
import { spelled } from "../command.js"
import type { Choices, Names } from "./words.js"
import { choicesOf, firstArgument, flagsAlone, flagsOf, subcommandsOf, topLevel } from "./words.js"

const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`

/** What can be typed. `-x` excludes files, which `-F` offers. */
const candidates = (choices: Choices): string => {
  switch (choices._tag) {
    case "Words":
      return `-x -a ${quoted(choices.words.join(" "))}`
    case "Path":
      return choices.of === "directory" ? "-x -a '(__fish_complete_directories)'" : "-r -F"
    case "Anything":
      return "-x"
  }
}

const line = (condition: string, rest: string): string =>
  `complete -c effect-arta -n ${quoted(`__effect_arta_command ${condition}`)} ${rest}`

const nameOf = (flag: Flag<unknown>): string => {
  const own = spelled(flag).startsWith("--") ? `-l ${flag.name}` : `-s ${flag.name}`
  return flag.alias === undefined ? own : `${own} -s ${flag.alias}`
}

const flagLine =
  (names: Names, condition: string) =>
  (flag: Flag<unknown>): string => {
    const takes = flag.value === undefined ? "" : ` ${candidates(choicesOf(flag.value.completion, names))}`
    return line(condition, `${nameOf(flag)}${takes} -d ${quoted(flag.summary)}`)
  }

const commandLines =
  (commands: ReadonlyArray<Command>, names: Names) =>
  (command: Command): ReadonlyArray<string> => {
    const argument = firstArgument(command)
    return [
      ...flagsOf(command).map(flagLine(names, command.name)),
      ...subcommandsOf(command, commands).map(({ name, summary }) =>
        line(command.name, `-a ${name} -d ${quoted(summary)}`)
      ),
      ...(argument?.value.completion === undefined
        ? []
        : [line(command.name, candidates(choicesOf(argument.value.completion, names)))])
    ]
  }

/** The completions for fish. */
export const fish = (commands: ReadonlyArray<Command>, names: Names): string =>
  `# Completions of effect-arta for fish: effect-arta --completions fish | source
# Whether these words are the command so far.
function __effect_arta_command
  set -l typed (commandline -opc)[2..]
  set -l command
  for word in $typed
    contains -- (string join -- ' ' $command $word) help ${commands.map(({ name }) => quoted(name)).join(" ")} && set -a command $word
  end
  test "$command" = "$argv"
end
complete -c effect-arta -f
${[
  ...topLevel(commands).map(({ name, summary }) => line("", `-a ${name} -d ${quoted(summary)}`)),
  line("", "-a help -d 'Show the help of a command'"),
  ...topLevel(commands).map(({ name }) => line("help", `-a ${name}`)),
  ...flagsAlone.map(flagLine(names, "")),
  ...commands.flatMap(commandLines(commands, names))
].join("\n")}`
