import type { Command, Flag } from "../command.js"
import { spelled } from "../command.js"
import type { Choices, Names } from "./words.js"
import { choicesOf, firstArgument, flagsAlone, flagsOf, quoted, subcommandsOf, topLevel } from "./words.js"

const action = (choices: Choices): string => {
  switch (choices._tag) {
    case "Words":
      return `(${choices.words.join(" ")})`
    case "Path":
      return choices.of === "directory" ? "_files -/" : "_files"
    case "Anything":
      return " "
  }
}

/** Text inside `[…]` or between colons of a specification. */
const escaped = (text: string): string => text.replace(/[\\[\]:]/g, "\\$&")

const flagSpec =
  (names: Names) =>
  (flag: Flag<unknown>): string => {
    const long = spelled(flag)
    const isLong = long.startsWith("--")
    const { value } = flag
    const takes =
      value === undefined ? "" : `:${escaped(value.placeholder)}:${action(choicesOf(value.completion, names))}`
    const rest = `[${escaped(flag.summary)}]${takes}`
    const sign = (spelling: string) =>
      value === undefined ? spelling : `${spelling}${spelling.startsWith("--") ? "=" : "+"}`
    return flag.alias === undefined || !isLong
      ? quoted(sign(long) + rest)
      : `${quoted(`(-${flag.alias} ${long})`)}{${sign(`-${flag.alias}`)},${sign(long)}}${quoted(rest)}`
  }

const argumentSpec = (command: Command, commands: ReadonlyArray<Command>, names: Names): ReadonlyArray<string> => {
  const subcommands = subcommandsOf(command, commands)
  if (subcommands.length > 0) {
    const words = subcommands.map(({ name, summary }) => `${name}\\:${JSON.stringify(summary)}`)
    return [quoted(`1:command:((${words.join(" ")}))`)]
  }
  const argument = firstArgument(command)
  return argument === undefined
    ? []
    : [quoted(`1:${escaped(argument.value.placeholder)}:${action(choicesOf(argument.value.completion, names))}`)]
}

const commandCase =
  (commands: ReadonlyArray<Command>, names: Names) =>
  (command: Command): string =>
    `        (${command.name}) _arguments -s -S ${[...flagsOf(command).map(flagSpec(names)), ...argumentSpec(command, commands, names)].join(" ")} ;;`

/** The completions for zsh, to be loaded with `source` or from a directory of `fpath`. */
export const zsh = (commands: ReadonlyArray<Command>, names: Names): string =>
  `#compdef effect-arta
# Completions of effect-arta for zsh: source <(effect-arta --completions zsh)
_effect_arta() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands=(
${topLevel(commands)
  .map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`)
  .join("\n")}
    'help:Show the help of a command'
  )
  _arguments -C -s -S ${flagsAlone.map(flagSpec(names)).join(" ")} '1: :->command' '*:: :->arguments'
  case $state in
    (command) _describe command commands ;;
    (arguments)
      case $words[1] in
${topLevel(commands).map(commandCase(commands, names)).join("\n")}
        (help) (( CURRENT == 2 )) && _describe command commands ;;
      esac ;;
  esac
}

if [[ $funcstack[1] == _effect_arta || $funcstack[1] == _effect-arta ]]; then
  _effect_arta "$@"
else
  compdef _effect_arta effect-arta
fi`
