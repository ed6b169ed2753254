import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import { InvalidRequestError } from "../ArtaError.js"

/** Replaces the environment variables of some options with other configs. Functions are given as they are. */
export type Overrides<Options> = {
  readonly [Key in keyof Options]?: NonNullable<Options[Key]> extends (...args: never) => unknown
    ? Options[Key]
    : Config.Config<Options[Key]> | undefined
}

export const optional = (name: string): Config.Config<string | undefined> =>
  Config.withDefault(Config.nonEmptyString(name), undefined)

/** The variables of the options that must be URLs. */
const variables: Readonly<Record<string, string>> = {
  apiUrl: "ARTA_API_URL",
  signUpUrl: "ARTA_SIGN_UP_URL",
  tokenUrl: "ARTA_TOKEN_URL"
}

const separator = " is not "

/** Names the variable of an invalid option, or the option if `config` replaces its variable. */
export const toConfigError =
  (config: Readonly<Record<string, unknown>>) =>
  (error: ConfigError.ConfigError | InvalidRequestError): ConfigError.ConfigError => {
    if (ConfigError.isConfigError(error)) return error
    const { allowed, field, value } = error
    const variable = config[field] === undefined ? variables[field] : undefined
    return ConfigError.InvalidData([variable ?? field], `${value}${separator}${allowed}`)
  }

/** The error for a program without Effect, which cannot handle a `ConfigError`: it is not an `Error`. */
export const fromConfigError = (error: ConfigError.ConfigError): InvalidRequestError => {
  const { message, path } = error._op === "InvalidData" ? error : { message: String(error), path: [] }
  const [allowed = "valid", ...values] = message.split(separator).reverse()
  return new InvalidRequestError({
    field: path.join("_") || "config",
    value: values.reverse().join(separator) || "invalid",
    allowed
  })
}
