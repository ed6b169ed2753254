import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { printable } from "../printable.js"

export interface SqliteUrl {
  readonly _tag: "Sqlite"
  readonly file: string
  readonly shown: string
}

export interface PostgresUrl {
  readonly _tag: "Postgres"
  readonly url: Redacted.Redacted
  readonly shown: string
  readonly hasPassword: boolean
}

/** A database that a user named. `shown` is its URL as messages print it, without user and password. */
export type DatabaseUrl = SqliteUrl | PostgresUrl

const forms = "must be sqlite:FILE, or postgres://USER:PASSWORD@HOST/NAME"

const encodingAdvice = "In a user or a password, write special characters as %40 for @, %23 for #, and %2F for /"

/** A SQLite file. */
export const sqlite = (file: string): SqliteUrl => ({
  _tag: "Sqlite",
  file,
  shown: `sqlite:${printable(file)}`
})

const parseSqlite = (text: string): Either.Either<DatabaseUrl, string> => {
  // Other programs write sqlite:///FILE.
  const file = text.replace(/^sqlite3?:(\/\/)?/i, "")
  if (file === "") return Either.left(`${forms}. Name the file: sqlite:images/effect-arta.db`)
  if (file.includes(":memory:")) return Either.left("must name a file. A database in memory ends with the command")
  return Either.right(sqlite(file))
}

// As node-postgres reads it: a URL whose host is empty has the directory of a socket in its query.
const parseUrl = (text: string): Option.Option<URL> =>
  Option.liftThrowable((url: string) => new URL(url))(
    text
      .replace(/^([a-z]+:\/\/[^/@]*)@(?=\/|\?|$)/i, "$1@localhost")
      .replace(/^([a-z]+:\/\/)(?=\/|\?|$)/i, "$1localhost")
  )

const isEncoded = (text: string): boolean => Option.isSome(Option.liftThrowable(decodeURIComponent)(text))

const placeOf = ({ host, pathname, searchParams }: URL): string => {
  const socket = searchParams.get("host")
  const port = searchParams.get("port")
  return socket === null ? `${host}${pathname}` : `${pathname}?host=${socket}${port === null ? "" : `&port=${port}`}`
}

const parsePostgres = (text: string): Either.Either<DatabaseUrl, string> => {
  const url = Option.getOrUndefined(parseUrl(text))
  // A character of the password that is not encoded ends the host early: what follows would be shown as the host.
  const isCut = url?.hash !== "" || `${url.pathname}${url.search}`.includes("@")
  if (isCut || !isEncoded(url.username) || !isEncoded(url.password)) return Either.left(`${forms}. ${encodingAdvice}`)
  return Either.right({
    _tag: "Postgres",
    url: Redacted.make(text),
    shown: printable(`postgres://${placeOf(url)}`),
    hasPassword: url.password !== "" || url.searchParams.has("password")
  })
}

/** Reads the URL of a database. The left side completes the sentence "--database …", and repeats nothing of the URL. */
export const parse = (given: Redacted.Redacted): Either.Either<DatabaseUrl, string> => {
  const text = Redacted.value(given).trim()
  if (/^sqlite3?:/i.test(text)) return parseSqlite(text)
  if (/^postgres(ql)?:\/\//i.test(text)) return parsePostgres(text)
  return Either.left(
    /\.(db|sqlite3?)$/i.test(text) ? `${forms}. For a file, write sqlite: in front of its name` : forms
  )
}
