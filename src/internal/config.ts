import * as Config from "effect/Config"

/** For some of the options, a `Config` in place of the environment variable that is read otherwise. */
export type Overrides<Options> = { readonly [Key in keyof Options]?: Config.Config<Options[Key]> | undefined }

export const optional = (name: string): Config.Config<string | undefined> =>
  Config.withDefault(Config.nonEmptyString(name), undefined)
