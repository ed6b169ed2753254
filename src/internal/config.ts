import * as Config from "effect/Config"

/** Replaces the environment variables of some options with other configs. Functions are given as they are. */
export type Overrides<Options> = {
  readonly [Key in keyof Options]?: NonNullable<Options[Key]> extends (...args: never) => unknown
    ? Options[Key]
    : Config.Config<Options[Key]> | undefined
}

export const optional = (name: string): Config.Config<string | undefined> =>
  Config.withDefault(Config.nonEmptyString(name), undefined)
