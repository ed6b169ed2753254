import type { Generation } from "effect-arta"
import { exitCodes } from "../../shared/errors.js"
import type { Drawing } from "../../shared/journal.js"
import type { Row } from "./promptFile.js"

/** What is left to do for a row. */
export type Task =
  | { readonly _tag: "Submit"; readonly row: Row }
  | { readonly _tag: "Watch"; readonly row: Row; readonly recordId: Generation.RecordId }

/** A row that ended without its images, and why. */
export interface Unfinished {
  readonly row: Row
  /** The tag of the error. */
  readonly error: string
  readonly message: string
  readonly exitCode: number
}

export interface Plan {
  readonly tasks: ReadonlyArray<Task>
  readonly givenUp: ReadonlyArray<Unfinished>
}

export interface Known {
  readonly drawings: ReadonlyMap<string, Drawing>
  /** The names of the files that are there. */
  readonly files: ReadonlySet<string>
  readonly retryFailed: boolean
  /** Whether the service has forgotten what was submitted before. */
  readonly isForgetful: boolean
}

const unknownSubmission =
  "It is unknown whether the service accepted it, so it was not sent again. --retry-failed sends it anyway."

/**
 * Sorts the rows by what their journal says. Whatever was accepted is watched and not sent again; whatever failed for
 * good is only sent again when that is asked for.
 */
export const plan = (rows: ReadonlyArray<Row>, { drawings, files, isForgetful, retryFailed }: Known): Plan => {
  const tasks: Array<Task> = []
  const givenUp: Array<Unfinished> = []

  const giveUp = (unfinished: Unfinished) =>
    retryFailed ? tasks.push({ _tag: "Submit", row: unfinished.row }) : givenUp.push(unfinished)

  for (const row of rows) {
    const drawing = drawings.get(row.key)
    const last = drawing?.last
    if (last === undefined) {
      if (!retryFailed) tasks.push({ _tag: "Submit", row })
    } else if (last._tag === "Saved" && last.files.every((file) => files.has(file))) {
      continue
    } else if (last._tag === "Failed") {
      giveUp({ row, error: last.error, message: last.message, exitCode: last.exitCode })
    } else if (isForgetful) {
      tasks.push({ _tag: "Submit", row })
    } else if (last._tag === "Submitting") {
      giveUp({ row, error: "SubmissionUnknownError", message: unknownSubmission, exitCode: exitCodes.network })
    } else if (drawing?.recordId !== undefined) {
      tasks.push({ _tag: "Watch", row, recordId: drawing.recordId })
    } else {
      tasks.push({ _tag: "Submit", row })
    }
  }
  return { tasks, givenUp }
}
