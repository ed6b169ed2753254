import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ImageModel } from "effect-arta"
import { UsageError } from "../shared/errors.js"
import { printable } from "../shared/printable.js"

export interface Input {
  readonly filter: Option.Option<string>
  readonly json: boolean
}

/** Letters and digits only, so that `gpt image` finds `gpt-image`. */
const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")

const matching = (filter: Option.Option<string>) => {
  const words = Option.match(filter, { onNone: () => [], onSome: (text) => text.split(/\s+/).map(plain) })
  return [...ImageModel.aliases].filter(([alias, names]) => {
    const text = [alias, ...names].map(plain).join(" ")
    return words.every((word) => text.includes(word))
  })
}

const printAliases = (aliases: ReturnType<typeof matching>, json: boolean): Effect.Effect<void> => {
  const width = Math.max(...aliases.map(([alias]) => alias.length))
  return Effect.forEach(
    aliases,
    ([alias, names]) =>
      Console.log(
        json
          ? JSON.stringify({ alias, models: names })
          : `${alias.padEnd(width)}  ${names.length === 1 ? "" : "one of "}${names.join(", ")}`
      ),
    { discard: true }
  )
}

/** Prints the aliases with their model names, in the order of `ImageModel.aliases`. */
export const models = ({ filter, json }: Input): Effect.Effect<void, UsageError> => {
  const aliases = matching(filter)
  return aliases.length === 0
    ? new UsageError({
        message: `No model matches ${printable(Option.getOrElse(filter, () => ""))}. See them all: effect-arta models`
      })
    : printAliases(aliases, json)
}
