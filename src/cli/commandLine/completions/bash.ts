import type { Command, Flag } from "../command.js"
import type { Choices, Names } from "./words.js"
import { choicesOf, firstArgument, flagsAlone, flagsOf, quoted, spellings, subcommandsOf, topLevel } from "./words.js"

const reply = (choices: Choices): string => {
  switch (choices._tag) {
    case "Words":
      return `COMPREPLY=($(compgen -W ${quoted(choices.words.join(" "))} -- "$cur"))`
    case "Path":
      return `_effect_arta_paths ${choices.of === "directory" ? "-d" : "-f"}`
    case "Anything":
      return ":"
  }
}

const valueCase =
  (names: Names, command: string) =>
  (flag: Flag<unknown>): ReadonlyArray<string> =>
    flag.value === undefined
      ? []
      : [
          `    ${spellings(flag)
            .map((name) => quoted(`${command}:${name}`))
            .join("|")}) ${reply(choicesOf(flag.value.completion, names))}; return ;;`
        ]

const flagCase = (command: string, flags: ReadonlyArray<Flag<unknown>>): string =>
  `    ${quoted(command)}) flags=${quoted(flags.flatMap(spellings).join(" "))} ;;`

const argumentCase = (command: Command, commands: ReadonlyArray<Command>, names: Names): string => {
  const subcommands = subcommandsOf(command, commands).map(({ name }) => name)
  const choices: Choices =
    subcommands.length > 0
      ? { _tag: "Words", words: subcommands }
      : choicesOf(firstArgument(command)?.value.completion, names)
  return `    ${quoted(command.name)}) ${reply(choices)} ;;`
}

const commandCase = ({ name }: Command): string => {
  const words = name.split(" ")
  return `      ${quoted(`${words.slice(0, -1).join(" ")}:${words.at(-1) ?? ""}`)}) command=${quoted(name)} ;;`
}

/** The completions for bash. Its word breaks split `--flag=value` into three words. */
export const bash = (commands: ReadonlyArray<Command>, names: Names): string =>
  `# Completions of effect-arta for bash: source <(effect-arta --completions bash)
_effect_arta_paths() {
  local IFS=$'\\n'
  compopt -o filenames 2>/dev/null
  COMPREPLY=($(compgen "$1" -- "$cur"))
}

_effect_arta() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command= flags= word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command:$word" in
${[...commands.map(commandCase), "      ':help') command=help ;;"].join("\n")}
    esac
  done
  if [[ $cur == "=" ]]; then
    cur=
  elif [[ $prev == "=" ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case "$command:$prev" in
${[...flagsAlone.flatMap(valueCase(names, "")), ...commands.flatMap((command) => flagsOf(command).flatMap(valueCase(names, command.name)))].join("\n")}
  esac
  case "$command" in
${[flagCase("", flagsAlone), ...commands.map((command) => flagCase(command.name, flagsOf(command)))].join("\n")}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
    return
  fi
  case "$command" in
    '') ${reply({ _tag: "Words", words: [...topLevel(commands).map(({ name }) => name), "help"] })} ;;
    help) ${reply({ _tag: "Words", words: topLevel(commands).map(({ name }) => name) })} ;;
${commands.map((command) => argumentCase(command, commands, names)).join("\n")}
  esac
}

complete -F _effect_arta effect-arta`
