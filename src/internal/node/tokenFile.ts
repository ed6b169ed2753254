import * as Option from "effect/Option"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"

// An empty HOME would make the working directory the home.
const absolute = (path: string | undefined): Option.Option<string> => Option.liftPredicate(path ?? "", isAbsolute)

// Throws if HOME is not set and the user is unknown.
const home = Option.liftThrowable(homedir)

const inHome = (...path: ReadonlyArray<string>): Option.Option<string> =>
  home().pipe(
    Option.flatMap(absolute),
    Option.map((directory) => join(directory, ...path))
  )

const configDirectory = (): Option.Option<string> => {
  switch (process.platform) {
    case "darwin":
      return inHome("Library", "Preferences", "effect-arta")
    case "win32":
      return absolute(process.env["APPDATA"]).pipe(
        Option.orElse(() => inHome("AppData", "Roaming")),
        Option.map((directory) => join(directory, "effect-arta", "Config"))
      )
    default:
      return absolute(process.env["XDG_CONFIG_HOME"]).pipe(
        Option.orElse(() => inHome(".config")),
        Option.map((directory) => join(directory, "effect-arta"))
      )
  }
}

/** The default of the token file. None if the home directory is unknown. */
export const defaultTokenFile = (): Option.Option<string> =>
  Option.map(configDirectory(), (directory) => join(directory, "credentials.json"))

export const unknownHome = "the home directory is unknown: set HOME, XDG_CONFIG_HOME or ARTA_TOKEN_FILE"
