import * as Config from "effect/Config"

/** Replaces the environment variables of some options with other configs. */
export type Overrides<Options> = { readonly [Key in keyof Options]?: Config.Config<Options[Key]> | undefined }

export const optional = (name: string): Config.Config<string | undefined> =>
  Config.withDefault(Config.nonEmptyString(name), undefined)
