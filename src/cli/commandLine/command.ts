// The description of a command: plain data from which parsing, help, completions, suggestions and the wizard are
// derived. @effect/cli 0.77.2 was tried: it refuses `-n2`, `-n=2`, `-m=flux` and `--negative=`, its error "'two' is not
// a integer" names no flag, nothing is suggested for `--sed`, its completions break in bash and zsh at the hyphen in
// our name, its wizard starts switches at yes, and loading it takes more than three times as long as starting Node.
// Node's own `parseArgs` splits the words instead.
import type * as NodeContext from "@effect/platform-node/NodeContext"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Failure, WatchFlags } from "../shared/errors.js"
import type { Value } from "./value.js"

interface Described {
  readonly summary: string
}

/** A flag. `A` is what the command receives. */
export interface Flag<out A> extends Described {
  readonly name: string
  readonly alias?: string
  /** The heading in help. */
  readonly group?: string
  /** Undefined: a switch, which takes no value. */
  readonly value: Value<unknown> | undefined
  /** What applies without the flag, as help shows it. */
  readonly byDefault?: string
  readonly decode: (text: Option.Option<string>) => Either.Either<A, string>
}

/** An argument: a word that belongs to no flag. */
export interface Argument<out A> extends Described {
  readonly value: Value<unknown>
  readonly isRequired: boolean
  readonly decode: (text: Option.Option<string>) => Either.Either<A, string>
}

interface FlagOptions extends Described {
  readonly alias?: string
  readonly byDefault?: string
}

const decodeSwitch = (text: string): Either.Either<boolean, string> =>
  text === "true" || text === "false" ? Either.right(text === "true") : Either.left("given without a value")

const decodeOptional =
  <A>(value: Value<A>) =>
  (text: Option.Option<string>): Either.Either<Option.Option<A>, string> =>
    Option.match(text, {
      onNone: () => Either.right(Option.none()),
      onSome: (text) => Either.map(value.decode(text), Option.some)
    })

/** A flag that is off unless it is given. */
export const onOff = (name: string, options: FlagOptions): Flag<boolean> => ({
  ...options,
  name,
  value: undefined,
  decode: Option.match({ onNone: () => Either.right(false), onSome: decodeSwitch })
})

/** A flag that the command decides if it is not given. `--name=false` turns it off. */
export const optionalSwitch = (name: string, options: FlagOptions): Flag<Option.Option<boolean>> => ({
  ...options,
  name,
  value: undefined,
  decode: Option.match({
    onNone: () => Either.right(Option.none()),
    onSome: (text) => Either.map(decodeSwitch(text), Option.some)
  })
})

export const optional = <A>(name: string, value: Value<A>, options: FlagOptions): Flag<Option.Option<A>> => ({
  ...options,
  name,
  value,
  decode: decodeOptional(value)
})

export const withDefault = <A>(name: string, value: Value<A>, byDefault: A, options: FlagOptions): Flag<A> => ({
  byDefault: String(byDefault),
  ...options,
  name,
  value,
  decode: Option.match({ onNone: () => Either.right(byDefault), onSome: value.decode })
})

/** Puts flags under one heading in help. */
export const inGroup = <Flags extends Readonly<Record<string, Flag<unknown>>>>(group: string, flags: Flags): Flags => {
  const grouped: Readonly<Record<string, Flag<unknown>>> = Object.fromEntries(
    Object.entries(flags).map(([key, flag]) => [key, { ...flag, group }])
  )
  return grouped as Flags
}

export const required = <A>(value: Value<A>, options: Described): Argument<A> => ({
  ...options,
  value,
  isRequired: true,
  decode: Option.match({ onNone: () => Either.left("given"), onSome: value.decode })
})

export const optionalArgument = <A>(value: Value<A>, options: Described): Argument<Option.Option<A>> => ({
  ...options,
  value,
  isRequired: false,
  decode: decodeOptional(value)
})

type Inputs = Readonly<Record<string, Flag<unknown> | Argument<unknown>>>

/** What a command receives for its flags and arguments. */
export type Parsed<Of extends Inputs> = {
  readonly [Key in keyof Of]: Of[Key] extends Flag<infer A> ? A : Of[Key] extends Argument<infer A> ? A : never
}

/** A command line that was understood. */
export interface Program {
  /** The module of a command is loaded when it runs, so that help and completions start fast. */
  readonly load: (version: string) => Promise<Effect.Effect<void, Failure, NodeContext.NodeContext>>
  readonly watchFlags?: WatchFlags
}

/** The words of a command line, by the name of their flag and in order. */
export interface Words {
  readonly flags: ReadonlyMap<string, string>
  readonly args: ReadonlyArray<string>
}

export interface Command extends Described {
  /** One word, or two for a command below another. */
  readonly name: string
  readonly examples: ReadonlyArray<string>
  readonly args: ReadonlyArray<Argument<unknown>>
  readonly flags: ReadonlyArray<Flag<unknown>>
  /** The left side is a sentence. */
  readonly toProgram: (words: Words) => Either.Either<Program, string>
}

interface Definition<
  Args extends Readonly<Record<string, Argument<unknown>>>,
  Flags extends Readonly<Record<string, Flag<unknown>>>
> extends Described {
  readonly name: string
  readonly examples?: ReadonlyArray<string>
  readonly args: Args
  readonly flags: Flags
  readonly run: (input: Parsed<Args> & Parsed<Flags>) => Program
}

/** How a flag is typed. */
export const spelled = ({ name }: { readonly name: string }): string => (name.length === 1 ? `-${name}` : `--${name}`)

/** The words of a command line, with a placeholder for each secret. */
export const withoutSecrets = (
  words: ReadonlyArray<string>,
  flags: ReadonlyArray<Flag<unknown>>
): ReadonlyArray<string> => {
  const secrets = flags.flatMap((flag) =>
    flag.value?.isSecret === true
      ? [{ name: spelled(flag), placeholder: flag.value.placeholder, accepts: flag.value.accepts ?? (() => true) }]
      : []
  )
  return words.map((word, index) => {
    const inline = secrets.find(({ name }) => word.startsWith(`${name}=`))
    const separate = secrets.find(({ accepts, name }) => name === words[index - 1] && accepts(word))
    return inline === undefined ? (separate?.placeholder ?? word) : `${inline.name}=${inline.placeholder}`
  })
}

const refusal =
  (subject: string, text: Option.Option<string>) =>
  (expected: string): string =>
    Option.match(text, {
      onNone: () => `${subject} must be ${expected}.`,
      onSome: (text) => `${subject} must be ${expected}, not ${JSON.stringify(text)}.`
    })

export const command = <
  Args extends Readonly<Record<string, Argument<unknown>>>,
  Flags extends Readonly<Record<string, Flag<unknown>>>
>({
  args,
  examples = [],
  flags,
  name,
  run,
  summary
}: Definition<Args, Flags>): Command => {
  const flagEntries = Object.entries<Flag<unknown>>(flags)
  const argEntries = Object.entries<Argument<unknown>>(args)
  const decode = (words: Words) =>
    Either.all({
      ...Object.fromEntries(
        argEntries.map(([key, argument], index) => {
          const text = Option.fromNullable(words.args[index])
          return [key, Either.mapLeft(argument.decode(text), refusal(argument.value.placeholder, text))]
        })
      ),
      ...Object.fromEntries(
        flagEntries.map(([key, flag]) => {
          const text = Option.fromNullable(words.flags.get(flag.name))
          return [key, Either.mapLeft(flag.decode(text), refusal(spelled(flag), text))]
        })
      )
    })
  return {
    name,
    summary,
    examples,
    args: argEntries.map(([, argument]) => argument),
    flags: flagEntries.map(([, flag]) => flag),
    // Each key has the type of its own flag or argument, which a record of entries cannot say.
    toProgram: (words) => Either.map(decode(words), (input) => run(input as unknown as Parsed<Args> & Parsed<Flags>))
  }
}
