import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { statSync } from "node:fs"

/** What a shell completes a value with: paths, the names of models, or these words. */
export type Completion = "file" | "directory" | "model" | ReadonlyArray<string>

/** How a value on the command line is read, shown and completed. */
export interface Value<out A> {
  /** Stands for the value in help. */
  readonly placeholder: string
  /** The left side completes the sentence "--flag must be …". */
  readonly decode: (text: string) => Either.Either<A, string>
  readonly completion?: Completion
  /** Whether no text of ours may show it. */
  readonly isSecret?: boolean
  /** Set if a flag may stand without its value, which is then empty. Only a word that this accepts is its value. */
  readonly accepts?: (word: string) => boolean
}

const matching = (placeholder: string, pattern: RegExp, expected: string): Value<number> => ({
  placeholder,
  decode: (text) => (pattern.test(text) ? Either.right(Number(text)) : Either.left(expected))
})

export const text = (placeholder: string, completion?: Completion): Value<string> => ({
  placeholder,
  decode: Either.right,
  ...(completion === undefined ? {} : { completion })
})

/** A text that is not shown again. */
export const secret = (placeholder: string): Value<Redacted.Redacted> => ({
  placeholder,
  isSecret: true,
  decode: (text) => Either.right(Redacted.make(text))
})

/** Lets a flag stand without this value, which is then empty. `accepts` tells a value from the next argument. */
export const omittable = <A>(value: Value<A>, accepts: (word: string) => boolean): Value<A> => ({ ...value, accepts })

/** A whole number in decimal digits. */
export const integer = (placeholder: string): Value<number> =>
  matching(placeholder, /^[+-]?\d+$/, "a whole number such as 7")

/** A number in decimal digits. */
export const number = (placeholder: string): Value<number> =>
  matching(placeholder, /^[+-]?(\d+(\.\d*)?|\.\d+)$/, "a number such as 7.5")

/** A value that also passes a check. */
export const where = <A>(value: Value<A>, passes: (value: A) => boolean, expected: string): Value<A> => ({
  ...value,
  decode: (text) =>
    Either.filterOrLeft(
      Either.mapLeft(value.decode(text), () => expected),
      passes,
      () => expected
    )
})

/** A number of something, such as seconds. */
export const positive = (placeholder: string): Value<number> =>
  where(number(placeholder), (value) => value > 0, `a number of ${placeholder.toLowerCase()} greater than 0`)

export const port: Value<number> = where(
  integer("PORT"),
  (port) => port >= 0 && port <= 65535,
  "a port from 0 to 65535"
)

export const oneOf = <const Words extends ReadonlyArray<string>>(
  placeholder: string,
  words: Words
): Value<Words[number]> => ({
  placeholder,
  completion: words,
  decode: (text) => {
    const word = words.find((word) => word === text)
    return word === undefined ? Either.left(`one of ${words.join(", ")}`) : Either.right(word)
  }
})

/** A directory, which need not exist. */
export const directory = (placeholder: string): Value<string> => text(placeholder, "directory")

const existing = (placeholder: string, completion: "file" | "directory"): Value<string> => ({
  placeholder,
  completion,
  decode: (path) => {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) return Either.left(`a ${completion} that exists`)
    return found.isDirectory() === (completion === "directory") ? Either.right(path) : Either.left(`a ${completion}`)
  }
})

/** A directory that exists. */
export const existingDirectory = (placeholder: string): Value<string> => existing(placeholder, "directory")

/** A file that exists. - is standard input. */
export const existingFile = (placeholder: string): Value<string> => {
  const value = existing(placeholder, "file")
  return { ...value, decode: (path) => (path === "-" ? Either.right(path) : value.decode(path)) }
}
