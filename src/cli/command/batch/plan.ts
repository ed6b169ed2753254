import type { Generation } from "effect-arta"
import { exitCodes } from "../../shared/errors.js"
import type { JournalRecord } from "../../shared/journal.js"
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
  readonly failedEarlier: ReadonlyArray<Unfinished>
}

export interface PlanInput {
  readonly records: ReadonlyMap<string, JournalRecord>
  /** The names of the files that are there. */
  readonly files: ReadonlySet<string>
  readonly retryFailed: boolean
  /** Whether the service has forgotten what was submitted before. */
  readonly isEmulator: boolean
}

const unknownSubmission =
  "It is unknown whether the service accepted this row, so it was not submitted again. --retry-failed submits it anyway."

/**
 * Sorts the rows by what their journal says. Whatever was accepted is watched and not sent again; whatever failed for
 * good is only sent again when that is asked for.
 */
export const plan = (rows: ReadonlyArray<Row>, { records, files, isEmulator, retryFailed }: PlanInput): Plan => {
  const tasks: Array<Task> = []
  const failedEarlier: Array<Unfinished> = []

  const addFailed = (unfinished: Unfinished) =>
    retryFailed ? tasks.push({ _tag: "Submit", row: unfinished.row }) : failedEarlier.push(unfinished)

  for (const row of rows) {
    const record = records.get(row.key)
    const last = record?.last
    if (last === undefined) {
      if (!retryFailed) tasks.push({ _tag: "Submit", row })
    } else if (last._tag === "Saved" && last.files.every((file) => files.has(file))) {
      continue
    } else if (last._tag === "Failed") {
      addFailed({ row, error: last.error, message: last.message, exitCode: last.exitCode })
    } else if (isEmulator) {
      tasks.push({ _tag: "Submit", row })
    } else if (last._tag === "Submitting") {
      addFailed({ row, error: "SubmissionUnknownError", message: unknownSubmission, exitCode: exitCodes.network })
    } else if (record?.recordId !== undefined) {
      tasks.push({ _tag: "Watch", row, recordId: record.recordId })
    } else {
      tasks.push({ _tag: "Submit", row })
    }
  }
  return { tasks, failedEarlier }
}
