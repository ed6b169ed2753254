import * as Array from "effect/Array"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Generation } from "effect-arta"
import { exitCodes } from "../../shared/errors.js"
import type { JournalRecords } from "../../shared/journal.js"
import type { Row } from "./promptFile/promptFile.js"

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
  /** The rows that failed in an earlier run and are not retried. */
  readonly failedEarlier: ReadonlyArray<Unfinished>
}

export interface PlanInput {
  readonly records: JournalRecords
  /** The names of the files in the directory. */
  readonly files: ReadonlySet<string>
  readonly retryFailed: boolean
  /** The emulator in memory forgets its generations when the command ends, so none can be watched. */
  readonly isEmulator: boolean
}

const unknownSubmission =
  "The service may or may not have accepted this row, so it was not submitted again. " +
  "--retry-failed submits it anyway."

/** What the journal says to do for a row. None: nothing. Left: it failed earlier. */
const planRow = (
  row: Row,
  { files, isEmulator, records, retryFailed }: PlanInput
): Option.Option<Either.Either<Task, Unfinished>> => {
  const submit = Option.some(Either.right<Task>({ _tag: "Submit", row }))
  const failed = (error: string, message: string, exitCode: number) =>
    retryFailed ? submit : Option.some(Either.left({ row, error, message, exitCode }))

  const record = Option.getOrUndefined(HashMap.get(records, row.key))
  if (record === undefined) return retryFailed ? Option.none() : submit

  const { last, recordId } = record
  if (last._tag === "Saved" && last.files.every((file) => files.has(file))) return Option.none()
  if (last._tag === "Failed") return failed(last.error, last.message, last.exitCode)
  if (isEmulator) return submit
  if (last._tag === "Submitting") return failed("SubmissionUnknownError", unknownSubmission, exitCodes.network)
  return recordId === undefined ? submit : Option.some(Either.right<Task>({ _tag: "Watch", row, recordId }))
}

/**
 * Sorts the rows by their journal records. An accepted row is watched, never submitted again. A row that failed for
 * good is submitted again only with `--retry-failed`.
 */
export const plan = (rows: ReadonlyArray<Row>, input: PlanInput): Plan => {
  const [failedEarlier, tasks] = Array.separate(Array.filterMap(rows, (row) => planRow(row, input)))
  return { tasks, failedEarlier }
}
