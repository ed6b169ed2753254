import * as Config from "effect/Config"
import * as Option from "effect/Option"

/** For some of the options, a `Config` in place of the environment variable that is read otherwise. */
export type Overrides<Options> = { readonly [Key in keyof Options]?: Config.Config<Options[Key]> | undefined }

export const optional = (name: string): Config.Config<string | undefined> =>
  Config.option(Config.nonEmptyString(name)).pipe(Config.map(Option.getOrUndefined))
