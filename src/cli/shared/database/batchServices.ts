import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { BatchError, ImageSink } from "effect-arta/batch"
import { BatchDatabase } from "effect-arta/batch"
import { keyPrefix } from "../serviceKey.js"
import type { Failure } from "../errors.js"
import { SetupError, UsageError } from "../errors.js"
import type { DatabaseUrl } from "./databaseUrl.js"
import type { IfMissing } from "./openDatabase.js"
import * as OpenDatabase from "./openDatabase.js"

/** The failure of a database as this command prints it. */
export const toSetupError =
  ({ shown }: DatabaseUrl) =>
  ({ message }: Error): SetupError =>
    new SetupError({ message: `${message} The database is ${shown}.` })

/**
 * The tables of a service. Each service has its own, so that no runner of one generates the rows of another: those of
 * the emulator, for example, for real ones.
 */
const tablePrefix = (input: { readonly emulator: boolean }) =>
  Effect.map(keyPrefix(input), (prefix) => `arta_${prefix.replaceAll("-", "_")}`)

/** Connects to a database, and creates the tables that are missing. */
export const batchDatabase = (
  url: DatabaseUrl,
  input: { readonly emulator: boolean },
  ifMissing: IfMissing
): Layer.Layer<BatchDatabase.BatchDatabase, SetupError, FileSystem.FileSystem | Path.Path> =>
  Effect.map(tablePrefix(input), (prefix) =>
    BatchDatabase.layer({ prefix }).pipe(
      Layer.mapError(toSetupError(url)),
      Layer.provide(OpenDatabase.layer(url, ifMissing))
    )
  ).pipe(Layer.unwrapEffect)

/** The errors of a batch in a database. */
type BatchFailure =
  | BatchDatabase.DatabaseError
  | BatchError.BatchNotFoundError
  | BatchError.InvalidRowsError
  | BatchError.RowConflictError
  | BatchError.RowsRefusedError
  | ImageSink.SinkError

/** Turns the errors of a batch in a database into those of a command. */
export const toFailure =
  (url: DatabaseUrl) =>
  (error: Failure | BatchFailure): Failure => {
    switch (error._tag) {
      case "DatabaseError":
        return toSetupError(url)(error)
      case "BatchNotFoundError":
      case "InvalidRowsError":
      case "RowConflictError":
        return new UsageError({ message: error.message })
      case "RowsRefusedError":
        return error.error
      case "SinkError":
        return new SetupError({ message: error.message, recordId: error.recordId })
      default:
        return error
    }
  }
