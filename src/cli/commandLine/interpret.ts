import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { parseArgs } from "node:util"
import { quote } from "shell-quote"
import type { Command, Flag, Program, Words } from "./command.js"
import { onOff, optional, spelled, withoutSecrets } from "./command.js"
import { didYouMean, nearest } from "./suggest.js"
import * as Value from "./value.js"

export const shells = ["bash", "zsh", "fish"] as const

export type Shell = (typeof shells)[number]

const logLevels = ["all", "trace", "debug", "info", "warning", "error", "fatal", "none"] as const

export type LogLevel = (typeof logLevels)[number]

/** The flags that every command takes. */
export const commonFlags = {
  help: onOff("help", { alias: "h", summary: "Show this help" }),
  version: onOff("version", { alias: "v", summary: "Show the version" }),
  wizard: onOff("wizard", { summary: "Ask for the arguments and options" }),
  completions: optional("completions", Value.oneOf("SHELL", shells), { summary: "Print completions for a shell" }),
  logLevel: optional("log-level", Value.oneOf("LEVEL", logLevels), { summary: "Log more: debug shows where it failed" })
}

/** What a command line asks for. */
export type Interpretation =
  | { readonly _tag: "Help"; readonly command: Option.Option<Command> }
  | { readonly _tag: "Version" }
  | { readonly _tag: "Completions"; readonly shell: Shell }
  | { readonly _tag: "Wizard"; readonly command: Option.Option<Command> }
  | { readonly _tag: "Run"; readonly program: Program; readonly logLevel: Option.Option<LogLevel> }

type Interpreted<A> = Either.Either<A, string>

type Flags = ReadonlyArray<Flag<unknown>>

const common: Flags = Object.values(commonFlags)

/** Adds an empty value to each flag that may stand without one and does. */
const withEmptyValues = (args: ReadonlyArray<string>, flags: Flags): Array<string> => {
  const end = args.indexOf("--")
  return args.map((arg, index) => {
    const accepts = flags.find((flag) => spelled(flag) === arg)?.value?.accepts
    const isAfterFlags = end !== -1 && index > end
    return accepts === undefined || isAfterFlags || accepts(args[index + 1] ?? "") ? arg : `${arg}=`
  })
}

/** Node's parser reads no value as an error: it returns every word, which is checked here. */
const split = (args: ReadonlyArray<string>, flags: Flags) =>
  parseArgs({
    args: withEmptyValues(args, flags),
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(
      flags.map(({ alias, name, value }) => {
        const short = alias ?? (name.length === 1 ? name : undefined)
        return [name, { type: value === undefined ? "boolean" : "string", ...(short === undefined ? {} : { short }) }]
      })
    )
  }).tokens

type Token = ReturnType<typeof split>[number]
type OptionToken = Extract<Token, { kind: "option" }>

const isPositional = (token: Token) => token.kind === "positional"
const isOption = (token: Token) => token.kind === "option"

const asTyped = (arg: string): string => /^[^=]*/.exec(arg)?.[0] ?? arg

const placeholders = ({ args }: Command): string => args.map(({ value }) => value.placeholder).join(" ")

const helpHint = (command: Command | undefined): string =>
  command === undefined ? "See the commands: effect-arta --help" : `See its options: effect-arta ${command.name} --help`

const unknownOption = (arg: string, flags: Flags, command: Command | undefined): string => {
  if (/\s/.test(arg) && command?.args[0] !== undefined)
    return `${command.args[0].value.placeholder} starts with a hyphen. Put it after --: ${quote(["effect-arta", command.name, "--", arg])}`
  const of = command === undefined ? "" : ` of ${command.name}`
  return `${asTyped(arg)} is no option${of}. ${didYouMean(asTyped(arg), flags.map(spelled), helpHint(command))}`
}

/** `-model` is a typing error of `--model`, not `-m` with the value "odel". */
const isLongAfterOneHyphen = (arg: string, flags: Flags): boolean =>
  !arg.startsWith("--") && flags.some(({ name }) => name.length > 1 && asTyped(arg) === `-${name}`)

const isFlagOf = (text: string, flags: Flags): boolean =>
  text.startsWith("--") ||
  flags.some((flag) => text === spelled(flag) || (flag.alias !== undefined && text === `-${flag.alias}`))

/** The text of an option, if its words are right. */
const textOf = (
  token: OptionToken,
  args: ReadonlyArray<string>,
  flags: Flags,
  command: Command | undefined
): Interpreted<readonly [name: string, text: string]> => {
  const flag = flags.find(({ name }) => name === token.name)
  const arg = args[token.index] ?? token.rawName
  if (flag === undefined || isLongAfterOneHyphen(arg, flags)) return Either.left(unknownOption(arg, flags, command))
  if (flag.value === undefined) return Either.right([flag.name, token.value ?? "true"])
  if (token.value === undefined || (!token.inlineValue && isFlagOf(token.value, flags)))
    return Either.left(
      `${token.rawName} needs a value: ${token.rawName} ${flag.value.placeholder}` +
        (token.value === undefined
          ? ""
          : `. To pass ${token.value} as its value, write ${token.rawName}=${token.value}`)
    )
  // The parser leaves the sign in `-n=2`, but not in `--n=2`.
  const isShort = !token.rawName.startsWith("--")
  return Either.right([flag.name, token.inlineValue && isShort ? token.value.replace(/^=/, "") : token.value])
}

const tooManyArguments = (words: Words, command: Command, rest: ReadonlyArray<string>): string => {
  const [first] = command.args
  if (first === undefined) return `${command.name} takes no argument, but got ${quote([...words.args])}.`
  const { placeholder } = first.value
  return first.value.completion === undefined
    ? `${placeholder} must be one argument. Quote it: ${quote(["effect-arta", ...command.name.split(" "), words.args.join(" "), ...withoutSecrets(rest, command.flags)])}`
    : `${command.name} takes one ${placeholder}, but got ${String(words.args.length)}: ${quote([...words.args])}.`
}

const missingArgument = (words: Words, command: Command): string | undefined => {
  const missing = command.args[words.args.length]
  if (missing?.isRequired !== true) return undefined
  return `${missing.value.placeholder} is missing. For example: ${command.examples[0] ?? `effect-arta ${command.name} ${placeholders(command)}`}`
}

/** The command that the first words name, and the indexes of those words. */
const findCommand = (
  args: ReadonlyArray<string>,
  commands: ReadonlyArray<Command>
): Option.Option<{ readonly command: Command; readonly rest: ReadonlyArray<string> }> => {
  const [first, second] = split(args, common).filter(isPositional)
  if (first === undefined) return Option.none()
  const pair = second === undefined ? undefined : commands.find(({ name }) => name === `${first.value} ${second.value}`)
  const command = pair ?? commands.find(({ name }) => name === first.value)
  const used = pair === undefined ? [first.index] : [first.index, second?.index]
  return Option.map(Option.fromNullable(command), (command) => ({
    command,
    rest: args.filter((_, index) => !used.includes(index))
  }))
}

const unknownCommand = (words: ReadonlyArray<string>, commands: ReadonlyArray<Command>): string => {
  const name = words.join(" ")
  if (words.length === 1 && /\s/.test(name))
    return `${JSON.stringify(name)} is no command. To generate images from it: ${quote(["effect-arta", "generate", name])}`
  const names = commands.map(({ name }) => name)
  const suggested = nearest(name, names) ?? nearest(words[0] ?? "", names)
  return `${JSON.stringify(words[0] ?? "")} is no command. ${suggested === undefined ? helpHint(undefined) : `Did you mean ${suggested}?`}`
}

const helpOf = (words: ReadonlyArray<string>, commands: ReadonlyArray<Command>): Interpreted<Interpretation> => {
  if (words.length === 0) return Either.right({ _tag: "Help", command: Option.none() })
  return Option.match(findCommand(words, commands), {
    onNone: () => Either.left(unknownCommand(words, commands)),
    onSome: ({ command }) => Either.right({ _tag: "Help", command: Option.some(command) })
  })
}

/** What the flags that every command takes ask for. */
const fromCommonFlags = (
  flags: ReadonlyMap<string, string>,
  command: Option.Option<Command>
): Interpreted<Option.Option<Interpretation>> => {
  if (flags.has("help")) return Either.right(Option.some({ _tag: "Help", command }))
  if (flags.has("version")) return Either.right(Option.some({ _tag: "Version" }))
  if (flags.has("wizard")) return Either.right(Option.some({ _tag: "Wizard", command }))
  return Either.mapBoth(commonFlags.completions.decode(Option.fromNullable(flags.get("completions"))), {
    onLeft: (expected) => `--completions must be ${expected}.`,
    onRight: Option.map((shell): Interpretation => ({ _tag: "Completions", shell }))
  })
}

const interpretCommand = (command: Command, rest: ReadonlyArray<string>): Interpreted<Interpretation> =>
  Either.gen(function* () {
    const flags = [...command.flags, ...common]
    const tokens = split(rest, flags)
    const texts = tokens.filter(isOption).map((token) => textOf(token, rest, flags, command))
    const given = new Map(texts.flatMap((text) => (Either.isRight(text) ? [text.right] : [])))
    const asked = yield* fromCommonFlags(given, Option.some(command))
    if (Option.isSome(asked)) return asked.value
    yield* Either.all(texts)

    const positionals = tokens.filter(isPositional)
    const words = { flags: given, args: positionals.map(({ value }) => value) }
    const indexes = positionals.map(({ index }) => index)
    if (words.args.length > command.args.length)
      return yield* Either.left(
        tooManyArguments(
          words,
          command,
          rest.filter((_, index) => !indexes.includes(index))
        )
      )
    const missing = missingArgument(words, command)
    if (missing !== undefined) return yield* Either.left(missing)
    const logLevel = yield* Either.mapLeft(
      commonFlags.logLevel.decode(Option.fromNullable(given.get("log-level"))),
      (expected) => `--log-level must be ${expected}.`
    )
    return { _tag: "Run" as const, program: yield* command.toProgram(words), logLevel }
  })

/** A command line without a command. */
const interpretAlone = (args: ReadonlyArray<string>, commands: ReadonlyArray<Command>): Interpreted<Interpretation> =>
  Either.gen(function* () {
    const tokens = split(args, common)
    const words = tokens.filter(isPositional).map(({ value }) => value)
    if (words[0] === "help") return yield* helpOf(words.slice(1), commands)
    const texts = tokens.filter(isOption).map((token) => textOf(token, args, common, undefined))
    const given = new Map(texts.flatMap((text) => (Either.isRight(text) ? [text.right] : [])))
    const asked = yield* fromCommonFlags(given, Option.none())
    if (Option.isSome(asked)) return asked.value
    yield* Either.all(texts)
    return words.length === 0
      ? { _tag: "Help" as const, command: Option.none() }
      : yield* Either.left(unknownCommand(words, commands))
  })

/** Reads a command line. The left side is a sentence that says what is wrong with it. */
export const interpret = (args: ReadonlyArray<string>, commands: ReadonlyArray<Command>): Interpreted<Interpretation> =>
  Option.match(findCommand(args, commands), {
    onNone: () => interpretAlone(args, commands),
    onSome: ({ command, rest }) => interpretCommand(command, rest)
  })
