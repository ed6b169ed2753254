/**
 * The image models of the service, their aliases, and functions to resolve them.
 *
 * Name a model by its service name (`"SDXL 1.0"`) or by an alias (`"sdxl-1.0"`). Case does not matter, and `_` and
 * spaces count as `-`.
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
 * The service names of all models.
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

const extraAliases = {
  "flux-dev": ["F Dev"],
  "flux-pro": ["F Pro"],
  "gpt-image": ["GPT4o", "High GPT4o", "GPT4o Ghibli"]
} as const satisfies Record<string, Array.NonEmptyReadonlyArray<ServiceName>>

/**
 * The aliases: each service name in lower case with hyphens, and `flux-dev`, `flux-pro`, and `gpt-image`.
 *
 * @since 0.1.0
 * @category models
 */
export type Alias = Lowercase<Hyphenated<ServiceName>> | keyof typeof extraAliases

/**
 * The type of the `model` option. Editors complete the known names. Any string type-checks and is validated at run
 * time.
 *
 * @since 0.1.0
 * @category models
 */
export type ImageModel = ServiceName | Alias | (string & {})

/**
 * The default model.
 *
 * @since 0.1.0
 * @category models
 */
export const defaultModel: ServiceName = "Flux"

const normalize = (model: string): string => model.trim().toLowerCase().replace(/[\s_]/g, "-")

/**
 * Maps each alias to its service names.
 *
 * @since 0.1.0
 * @category resolving
 */
export const aliases: ReadonlyMap<string, ReadonlyArray<ServiceName>> = new Map<string, ReadonlyArray<ServiceName>>([
  ...ServiceName.literals.map((name) => [normalize(name), [name]] as const),
  ...Object.entries(extraAliases)
])

/**
 * Returns the service names that a name or alias stands for: usually one, several for an alias such as `gpt-image`, and
 * none for an unknown name.
 *
 * @since 0.1.0
 * @category resolving
 */
export const candidates = (model: string): ReadonlyArray<ServiceName> => aliases.get(normalize(model)) ?? []

/**
 * Returns the three aliases that are closest to a name, closest first.
 *
 * @since 0.1.0
 * @category resolving
 */
export const suggest = (model: string): ReadonlyArray<string> => {
  const wanted = normalize(model)
  const byDistance = Order.mapInput(Order.number, (alias: string) => distance(wanted, alias))
  return Array.take(Array.sort(aliases.keys(), byDistance), 3)
}
