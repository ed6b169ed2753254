import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import type * as Redacted from "effect/Redacted"
import * as String from "effect/String"
import { InvalidRequestError } from "../ArtaError.js"
import { shown } from "./errorMessages.js"

export interface ApiOptions {
  readonly apiUrl?: string | undefined
}

export interface AuthOptions {
  readonly apiKey: Redacted.Redacted | string
  readonly signUpUrl?: string | undefined
  readonly tokenUrl?: string | undefined
}

/** Replaces the environment variables of some options with other configs. Functions are given as they are. */
export type Overrides<Options> = {
  readonly [Key in keyof Options]?: NonNullable<Options[Key]> extends (...args: never) => unknown
    ? Options[Key]
    : Config.Config<Options[Key]> | undefined
}

export const optional = (name: string): Config.Config<string | undefined> =>
  Config.withDefault(Config.nonEmptyString(name), undefined)

export const apiVariables = (config: Overrides<ApiOptions>) => ({
  apiUrl: config.apiUrl ?? optional("ARTA_API_URL")
})

export const authVariables = (config: Overrides<AuthOptions>) => ({
  apiKey: config.apiKey ?? Config.redacted(Config.nonEmptyString("ARTA_API_KEY")),
  signUpUrl: config.signUpUrl ?? optional("ARTA_SIGN_UP_URL"),
  tokenUrl: config.tokenUrl ?? optional("ARTA_TOKEN_URL")
})

/** The variable of an option, such as ARTA_API_URL for `apiUrl`. */
const variableOf = (option: string): string => `ARTA_${String.camelToSnake(option).toUpperCase()}`

const separator = " is not "

/** Names the variable of an invalid option, or the option if `config` replaces its variable. */
export const toConfigError =
  (config: Readonly<Record<string, unknown>>) =>
  (error: ConfigError.ConfigError | InvalidRequestError): ConfigError.ConfigError => {
    if (ConfigError.isConfigError(error)) return error
    const { allowed, field, value } = error
    const name = config[field] === undefined ? variableOf(field) : field
    return ConfigError.InvalidData([name], `${value}${separator}${allowed}`)
  }

/** The error for a program without Effect, which cannot handle a `ConfigError`: it is not an `Error`. */
export const fromConfigError = (error: ConfigError.ConfigError): InvalidRequestError => {
  const { message, path } = error._op === "InvalidData" ? error : { message: shown(error), path: [] }
  const [allowed = "valid", ...values] = message.split(separator).reverse()
  return new InvalidRequestError({
    field: path.join("_") || "config",
    value: values.reverse().join(separator) || "invalid",
    allowed
  })
}
