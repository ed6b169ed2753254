import type * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { fromConfigError, SetupError, UsageError } from "../errors.js"
import type { DatabaseOptions } from "./databaseOptions.js"
import type { DatabaseUrl } from "./databaseUrl.js"
import * as Url from "./databaseUrl.js"

/** The database of a command, and the flag that names it in a command that is printed. */
export interface Database {
  readonly url: DatabaseUrl
  /** Empty if the other command finds the database without a flag. */
  readonly flag: ReadonlyArray<string>
}

const fromVariable = Config.option(Config.nonEmptyString("ARTA_DATABASE_URL")).pipe(
  Effect.mapBoth({ onFailure: fromConfigError, onSuccess: Option.map((text) => Redacted.make(text)) })
)

const placeholder = "URL"

/** A URL with a password cannot be printed, and without the password it would be another one. */
const flagOf = (url: DatabaseUrl): ReadonlyArray<string> => [
  "--database",
  url._tag === "Postgres" && url.hasPassword ? placeholder : url.shown
]

/** The arguments of a process are visible to every user of the machine. */
const hidePassword = (url: DatabaseUrl, isQuiet: boolean) =>
  url._tag === "Postgres" && url.hasPassword
    ? Effect.zipRight(
        Effect.sync(() => {
          process.title = "effect-arta"
        }),
        Effect.unless(
          Console.error(
            "Other users of this machine may see the password of --database in the list of processes. " +
              "Set ARTA_DATABASE_URL instead."
          ),
          () => isQuiet
        )
      )
    : Effect.void

/** The file beside the images of a directory. */
export const fileBeside = (directory: string) =>
  Effect.map(Path.Path, (path) => Url.sqlite(path.join(directory, "effect-arta.db")))

/** Reads `--database`, then `ARTA_DATABASE_URL`. Without both, the database is the file beside the images. */
export const chooseDatabase = (
  { database, quiet = false }: DatabaseOptions & { readonly quiet?: boolean },
  directory: string
): Effect.Effect<Database, SetupError | UsageError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const given = Option.filter(database, (text) => Redacted.value(text) !== "")
    if (Option.isSome(given)) {
      const url = yield* Either.mapLeft(
        Url.parse(given.value),
        (problem) => new UsageError({ message: `--database ${problem}.` })
      )
      yield* hidePassword(url, quiet)
      return { url, flag: flagOf(url) }
    }
    const variable = yield* fromVariable
    if (Option.isSome(variable)) {
      const url = yield* Either.mapLeft(
        Url.parse(variable.value),
        (problem) => new SetupError({ message: `ARTA_DATABASE_URL ${problem}.` })
      )
      return { url, flag: [] }
    }
    const url = yield* fileBeside(directory)
    return { url, flag: directory === "images" ? [] : flagOf(url) }
  })
