/**
 * The image models of the service: their names, the aliases people type, and how one becomes the other.
 *
 * A model may be given by the service's own name (`"SDXL 1.0"`) or by an alias (`"sdxl-1.0"`). Case does not matter,
 * and `_` and spaces count as `-`.
 *
 * @example
 * ```ts
 * import { ImageModel } from "effect-arta"
 *
 * console.log(ImageModel.candidates("Flux_Dev")) // ["F Dev"]
 * console.log(ImageModel.candidates("gpt-image")) // ["GPT4o", "High GPT4o", "GPT4o Ghibli"]
 * console.log(ImageModel.suggest("watercolour")[0]) // "watercolor"
 * ```
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import { distance } from "fastest-levenshtein"

/**
 * Every model, by the name that the service itself uses.
 *
 * @since 0.1.0
 * @category models
 */
export const ServiceName = Schema.Literal(
  "Anything-xl",
  "High GPT4o",
  "On limbs black",
  "F Dev",
  "F Pro",
  "Flux",
  "SDXL 1.0",
  "SDXL L",
  "Old School",
  "Old school colored",
  "Vincent Van Gogh",
  "Cor-epica-xl",
  "Professional",
  "Cheyenne-xl",
  "Chicano",
  "Black Ink",
  "Juggernaut-xl",
  "Cinematic Art",
  "Dreamshaper-xl",
  "Fantasy Art",
  "Neo-traditional",
  "Realistic-stock-xl",
  "Flame design",
  "Japanese_2",
  "Medieval",
  "Surrealism",
  "Dotwork",
  "Graffiti",
  "RevAnimated",
  "On limbs color",
  "GPT4o",
  "GPT4o Ghibli",
  "Low Poly",
  "No Style",
  "Anime",
  "Anime tattoo",
  "tattoo",
  "Embroidery tattoo",
  "Mini tattoo",
  "Realistic tattoo",
  "Playground-xl",
  "Watercolor",
  "Kawaii",
  "Photographic",
  "Katayama-mix-xl",
  "Death metal",
  "New School",
  "Pony-xl",
  "Anima-pencil-xl",
  "Biomech",
  "Yamers-realistic-xl",
  "Trash Polka",
  "Red and Black"
)

/**
 * @since 0.1.0
 * @category models
 */
export type ServiceName = typeof ServiceName.Type

type Hyphenated<S extends string> = S extends `${infer Head}${" " | "_"}${infer Tail}`
  ? `${Head}-${Hyphenated<Tail>}`
  : S

const furtherAliases = {
  "flux-dev": ["F Dev"],
  "flux-pro": ["F Pro"],
  "gpt-image": ["GPT4o", "High GPT4o", "GPT4o Ghibli"]
} as const satisfies Record<string, Array.NonEmptyReadonlyArray<ServiceName>>

/**
 * Every alias: each service name in lower case with hyphens, and `flux-dev`, `flux-pro`, `gpt-image`.
 *
 * @since 0.1.0
 * @category models
 */
export type Alias = Lowercase<Hyphenated<ServiceName>> | keyof typeof furtherAliases

/**
 * What the `model` option takes. An editor completes the known names; any string is accepted and checked at run time.
 *
 * @since 0.1.0
 * @category models
 */
export type ImageModel = ServiceName | Alias | (string & {})

/**
 * The model that draws when none is named.
 *
 * @since 0.1.0
 * @category models
 */
export const defaultModel: ServiceName = "Flux"

const normalize = (model: string): string => model.trim().toLowerCase().replace(/[\s_]/g, "-")

/**
 * Every alias with the service names that it stands for.
 *
 * @since 0.1.0
 * @category resolving
 */
export const aliases: ReadonlyMap<string, ReadonlyArray<ServiceName>> = new Map<string, ReadonlyArray<ServiceName>>([
  ...ServiceName.literals.map((name) => [normalize(name), [name]] as const),
  ...Object.entries(furtherAliases)
])

/**
 * The service names that a model stands for: one for most, several for an alias such as `gpt-image`, none for an
 * unknown name.
 *
 * @since 0.1.0
 * @category resolving
 */
export const candidates = (model: string): ReadonlyArray<ServiceName> => aliases.get(normalize(model)) ?? []

/**
 * The three known aliases closest to a name, closest first.
 *
 * @since 0.1.0
 * @category resolving
 */
export const suggest = (model: string): ReadonlyArray<string> => {
  const wanted = normalize(model)
  const byDistance = Order.mapInput(Order.number, (alias: string) => distance(wanted, alias))
  return Array.take(Array.sort(aliases.keys(), byDistance), 3)
}
