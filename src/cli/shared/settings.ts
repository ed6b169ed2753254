// Where the settings of the command come from, in this order: the environment, `.env` in the working directory, and
// `config.json` in the user's configuration directory. Flags come before all of them, defaults after.
import type * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import { AtomicFile } from "effect-arta"
import { parseEnv } from "node:util"
import { SetupError } from "./errors.js"
import { explainPlatformError } from "./platformErrors.js"
import { printable } from "./printable.js"

/** The keys of `config.json`, and the environment variables that they stand for. */
const variables = {
  apiKey: "ARTA_API_KEY",
  apiUrl: "ARTA_API_URL",
  signUpUrl: "ARTA_SIGN_UP_URL",
  tokenUrl: "ARTA_TOKEN_URL",
  tokenFile: "ARTA_TOKEN_FILE",
  proxy: "ARTA_PROXY",
  databaseUrl: "ARTA_DATABASE_URL"
} as const

type Key = keyof typeof variables

const keys = Record.keys(variables)

const isKey = (key: string): key is Key => key in variables

const isSet = (name: string): Effect.Effect<boolean> =>
  Effect.match(Config.string(name), { onFailure: () => false, onSuccess: () => true })

type Values = ReadonlyMap<string, string>

const withoutMark = (text: string): string => text.replace(/^\uFEFF/, "")

/**
 * The author of a directory's `.env` must not decide where this user's session is sent or stored, nor what all requests
 * pass through. So the file sets the API key only. Any other setting is refused, unless the environment overrides it.
 */
const refuseForeign = (values: Values, file: string): Effect.Effect<void, SetupError> =>
  Effect.forEach(
    keys.filter((key) => key !== "apiKey" && values.has(variables[key])),
    (key) =>
      Effect.unlessEffect(
        new SetupError({
          message:
            `${printable(file)} sets ${variables[key]}, but a .env file may only set ARTA_API_KEY: the others decide ` +
            "where your session goes. Remove the line, or set the variable in the environment."
        }),
        isSet(variables[key])
      ),
    { discard: true }
  )

const toSetupError = (error: PlatformError) => new SetupError({ message: explainPlatformError(error) })

// Python's virtual environments may be directories of this name.
const isDirectory = (error: PlatformError) => error._tag === "SystemError" && error.reason === "BadResource"

const readDotEnv = (file: string) =>
  Effect.gen(function* () {
    const text = yield* AtomicFile.readIfExists(file).pipe(
      Effect.catchAll((error) =>
        Effect.if(isDirectory(error) ? Effect.succeed(true) : isSet(variables.apiKey), {
          onTrue: () => Effect.succeed(undefined),
          onFalse: () => toSetupError(error)
        })
      )
    )
    const values: Values = new Map(
      Object.entries(parseEnv(withoutMark(text ?? ""))).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const]
      )
    )
    yield* refuseForeign(values, file)
    return new Map([...values].filter(([name]) => name === variables.apiKey))
  })

const decodeObject = Schema.decodeOption(Schema.parseJson(Schema.Record({ key: Schema.String, value: Schema.Unknown })))

/** No message repeats a value, which may be a key or a password. */
const damaged = (file: string, problem: string) =>
  new SetupError({ message: `${printable(file)} ${problem}. Correct the file, or remove it.` })

const readConfigFile = (file: string) =>
  Effect.gen(function* () {
    const text = yield* Effect.mapError(AtomicFile.readIfExists(file), toSetupError)
    if (text === undefined) return new Map<string, string>()
    const found = yield* Effect.mapError(decodeObject(withoutMark(text)), () => damaged(file, "is not a JSON object"))
    const unknown = Object.keys(found).filter((key) => !isKey(key))
    if (unknown.length > 0) {
      const names = unknown.map((key) => JSON.stringify(key)).join(", ")
      return yield* damaged(file, `has unknown keys: ${printable(names)}. It may have ${keys.join(", ")}`)
    }
    const entries = yield* Effect.forEach(Object.entries(found), ([key, value]) =>
      isKey(key) && typeof value === "string"
        ? Effect.succeed([variables[key], value] as const)
        : damaged(file, `has a value that is not a string: ${printable(key)}`)
    )
    return new Map(entries)
  })

/** `config.json` next to the default token file. None: the home directory is unknown. */
const configFile: Effect.Effect<Option.Option<string>, never, Path.Path> = Effect.gen(function* () {
  const path = yield* Path.Path
  const { NodeArta } = yield* Effect.promise(() => import("effect-arta/node"))
  const tokenFile = yield* NodeArta.tokenFile.pipe(
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map())),
    Effect.option
  )
  return Option.map(tokenFile, (file) => path.join(path.dirname(file), "config.json"))
})

/** The environment, then `.env`, then `config.json`. */
export const settings: Effect.Effect<ConfigProvider.ConfigProvider, SetupError, FileSystem.FileSystem | Path.Path> =
  Effect.gen(function* () {
    const environment = yield* Effect.configProviderWith(Effect.succeed)
    const dotEnv = yield* readDotEnv(".env")
    const config = yield* Effect.flatMap(
      configFile,
      Option.match({ onNone: () => Effect.succeed(new Map<string, string>()), onSome: readConfigFile })
    )
    return ConfigProvider.orElse(environment, () => ConfigProvider.fromMap(new Map([...config, ...dotEnv])))
  })

/** Reads the configuration of an effect from `settings`. */
export const withSettings = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SetupError, R | FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(settings, (provider) => Effect.withConfigProvider(effect, provider))
