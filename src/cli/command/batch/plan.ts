import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Generation } from "effect-arta"
import { exitCodes } from "../../shared/errors.js"
import type { JournalRecords } from "../../shared/journal.js"
import { preferUnfinished } from "./equalRows.js"
import type { Row } from "./promptFile/promptFile.js"
import { currentRound, nextRound } from "./rounds.js"

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

/** A row whose images an earlier run saved. */
export interface Done {
  readonly row: Row
  readonly recordId: Generation.RecordId | undefined
  readonly files: ReadonlyArray<string>
}

export interface Plan {
  readonly tasks: ReadonlyArray<Task>
  /** The rows that failed in an earlier run and are not retried. */
  readonly failedEarlier: ReadonlyArray<Unfinished>
  readonly done: ReadonlyArray<Done>
  /** The rows with their keys in the journal. */
  readonly rows: ReadonlyArray<Row>
  /** Whether an earlier run has started the round of `--again`. */
  readonly isResumed: boolean
}

export interface PlanInput {
  readonly records: JournalRecords
  /** The names of the files in the directory. */
  readonly files: ReadonlySet<string>
  readonly retryFailed: boolean
  readonly again: boolean
  /** The emulator in memory forgets its generations when the command ends, so none can be watched. */
  readonly isEmulator: boolean
}

/** The error of a row that the service may have accepted. */
const unknownSubmission = "SubmissionUnknownError"

const unknownAdvice =
  "The service may or may not have accepted this row, so it was not submitted again. " +
  "--retry-failed submits it anyway."

type Step =
  | Task
  | ({ readonly _tag: "Done" } & Done)
  | ({ readonly _tag: "FailedEarlier" } & Unfinished)
  | { readonly _tag: "NotStarted" }

/** What the journal says to do for a row. */
const planRow = (row: Row, { files, isEmulator, records, retryFailed }: PlanInput): Step => {
  const submit: Step = { _tag: "Submit", row }
  const failed = (error: string, message: string, exitCode: number): Step =>
    retryFailed ? submit : { _tag: "FailedEarlier", row, error, message, exitCode }

  const record = Option.getOrUndefined(HashMap.get(records, row.key))
  if (record === undefined) return retryFailed ? { _tag: "NotStarted" } : submit

  const { last, recordId } = record
  if (last._tag === "Saved" && last.files.every((file) => files.has(file))) {
    return { _tag: "Done", row, recordId, files: last.files }
  }
  if (last._tag === "Failed") return failed(last.error, last.message, last.exitCode)
  if (isEmulator) return submit
  if (last._tag === "Submitting") return failed(unknownSubmission, unknownAdvice, exitCodes.network)
  return recordId === undefined ? submit : { _tag: "Watch", row, recordId }
}

const isTask = (step: Step): step is Task => step._tag === "Submit" || step._tag === "Watch"

/**
 * Sorts the rows by their journal records. An accepted row is watched, never submitted again. A row that failed for
 * good is submitted again only with `--retry-failed`, and a saved one with `--again`.
 */
export const plan = (rowsOfFile: ReadonlyArray<Row>, input: PlanInput): Plan => {
  const fileRows = input.retryFailed ? preferUnfinished(rowsOfFile, input.records) : rowsOfFile
  const { isResumed, rows } = (input.again ? nextRound : currentRound)(fileRows, input.records)
  const steps = rows.map((row) => planRow(row, input))
  return {
    tasks: steps.filter(isTask),
    failedEarlier: steps.filter((step) => step._tag === "FailedEarlier"),
    done: steps.filter((step) => step._tag === "Done"),
    rows,
    isResumed
  }
}
