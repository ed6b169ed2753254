import { isPlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SetupError } from "../errors.js"
import { explainPlatformError } from "../platformErrors.js"
import { printable } from "../printable.js"
import { explainConnection } from "./connectionFailures.js"
import type { DatabaseUrl, PostgresUrl, SqliteUrl } from "./databaseUrl.js"

/** What the command does if the file of a SQLite database is missing. */
export type IfMissing = "create" | "fail"

const isNpx = import.meta.url.includes("/_npx/")

const installed = isNpx
  ? "npx -p effect-arta -p better-sqlite3@12 effect-arta …"
  : "npm install better-sqlite3@12 (for a global effect-arta: npm install --global better-sqlite3@12; " +
    "with npx: npx -p effect-arta -p better-sqlite3@12 effect-arta …)"

const missingDriver = new SetupError({
  message: `A SQLite database needs the package better-sqlite3, which is not installed. Run: ${installed}`
})

const messageOf = (cause: unknown): string => printable(cause instanceof Error ? cause.message : String(cause))

const codeOf = (cause: unknown): unknown => (cause instanceof Error && "code" in cause ? cause.code : undefined)

const isMissingModule = (cause: unknown): boolean =>
  codeOf(cause) === "ERR_MODULE_NOT_FOUND" || codeOf(cause) === "MODULE_NOT_FOUND"

const brokenDriver = (cause: unknown) =>
  new SetupError({
    message:
      `The package better-sqlite3 does not work with this Node (${process.version}): ${messageOf(cause)}. ` +
      `Install it again: ${installed}`
  })

const isDriverFailure = (cause: unknown): boolean =>
  codeOf(cause) === "ERR_DLOPEN_FAILED" ||
  /Could not locate the bindings file|NODE_MODULE_VERSION/.test(messageOf(cause))

const explainSqlite = ({ file, shown }: SqliteUrl, cause: unknown): string => {
  switch (codeOf(cause)) {
    case "SQLITE_CANTOPEN":
      return `Cannot open ${shown}. Check that ${printable(file)} is a file that you may write, in a directory that exists.`
    case "SQLITE_NOTADB":
      return `${printable(file)} is not a SQLite database. Choose another file.`
    case "SQLITE_READONLY":
      return `${printable(file)} is read-only. Change its permissions, or choose another file.`
    default:
      return `Cannot open ${shown}: ${messageOf(cause)}. Correct that, or choose another file.`
  }
}

const checkFile = ({ file, shown }: SqliteUrl, ifMissing: IfMissing) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (ifMissing === "create") return yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    if (yield* fs.exists(file)) return
    return yield* new SetupError({
      message: `There is no database ${shown}. Create it with: effect-arta batch FILE --database ${shown}`
    })
  }).pipe(Effect.catchIf(isPlatformError, (error) => new SetupError({ message: explainPlatformError(error) })))

// Building the client throws what the driver throws.
const failWithDefects =
  (toError: (defect: unknown) => SetupError) =>
  <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E | SetupError, R> =>
    Layer.catchAllCause(layer, (cause): Layer.Layer<A, E | SetupError> =>
      Cause.isDie(cause) ? Layer.fail(toError(Cause.squash(cause))) : Layer.failCause(cause)
    )

const sqliteLayer = (url: SqliteUrl, ifMissing: IfMissing) =>
  Effect.gen(function* () {
    yield* checkFile(url, ifMissing)
    const { layer } = yield* Effect.tryPromise({
      try: () => import("@effect/sql-sqlite-node/SqliteClient"),
      catch: (cause) => (isMissingModule(cause) ? missingDriver : brokenDriver(cause))
    })
    return layer({ filename: url.file }).pipe(
      failWithDefects((defect) =>
        isDriverFailure(defect) ? brokenDriver(defect) : new SetupError({ message: explainSqlite(url, defect) })
      ),
      Layer.mapError((error) =>
        error._tag === "SetupError" ? error : new SetupError({ message: explainSqlite(url, error) })
      )
    )
  }).pipe(Layer.unwrapEffect)

// A runner needs few connections: each of its transactions is short.
const maxConnections = 4

const postgresLayer = ({ shown, url }: PostgresUrl) =>
  Effect.promise(() => import("@effect/sql-pg/PgClient")).pipe(
    Effect.map(({ layer }) =>
      layer({ url, maxConnections, connectTimeout: "10 seconds", applicationName: "effect-arta" }).pipe(
        failWithDefects((defect) => new SetupError({ message: explainConnection(shown, defect) })),
        Layer.mapError((error) =>
          error._tag === "SetupError" ? error : new SetupError({ message: explainConnection(shown, error.cause) })
        )
      )
    ),
    Layer.unwrapEffect
  )

/** Connects to a database. */
export const layer = (
  url: DatabaseUrl,
  ifMissing: IfMissing
): Layer.Layer<SqlClient, SetupError, FileSystem.FileSystem | Path.Path> =>
  url._tag === "Sqlite" ? sqliteLayer(url, ifMissing) : postgresLayer(url)
