import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { ImageModel } from "effect-arta"

/** Prints every alias with its model names, in the order of `ImageModel.aliases`. */
export const models = ({ json }: { readonly json: boolean }): Effect.Effect<void> => {
  const aliases = [...ImageModel.aliases]
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
