import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { BatchRow } from "effect-arta/batch"
import { stripVTControlCharacters } from "node:util"
import { exitCodeOfFailure, exitCodes, explain, MissingImages } from "../../../shared/errors.js"
import { printLine } from "../../../shared/jsonOutput.js"
import type { Unfinished } from "../plan.js"
import type { Row } from "../promptFile/promptFile.js"

const unknownMessage = "The service may or may not have accepted this row, so it was not submitted again."

type Outcome = BatchRow.RowOutcome

const fromError = (error: BatchRow.RowError) =>
  error._tag === "SinkError"
    ? { error: error._tag, message: error.message, exitCode: exitCodes.configuration }
    : { error: error._tag, message: explain(error), exitCode: exitCodeOfFailure(error) }

/** Why a row has no images, or lacks some. */
export const unfinishedOf = (row: Row, outcome: Outcome): Option.Option<Unfinished> => {
  switch (outcome._tag) {
    case "Saved": {
      const { missing, recordId } = outcome
      if (missing === 0) return Option.none()
      const failure = new MissingImages({ missing, recordId, requested: row.request.n })
      return Option.some({ row, error: failure._tag, message: failure.message, exitCode: exitCodeOfFailure(failure) })
    }
    case "Failed":
      return Option.some({ row, ...fromError(outcome.error) })
    case "Unknown":
      return Option.some({
        row,
        error: "SubmissionUnknownError",
        message: unknownMessage,
        exitCode: exitCodes.network
      })
    case "Cancelled":
      return Option.some({
        row,
        error: "Cancelled",
        message: "The batch was cancelled before this row was submitted.",
        exitCode: exitCodes.unexpected
      })
  }
}

/** How a row that has ended is shown. */
export interface Shown {
  readonly json: boolean
  readonly quiet: boolean
  /** Whether a bar shows the counts. */
  readonly isLive: boolean
  readonly total: number
}

const failureText = ({ message, row }: Unfinished): string =>
  stripVTControlCharacters(`row ${String(row.number)}: ${message}`)

const printJson = (row: Row, outcome: Outcome, unfinished: Option.Option<Unfinished>) =>
  Effect.gen(function* () {
    if (outcome._tag === "Saved") {
      const { images, recordId } = outcome
      yield* Effect.forEach(
        images,
        ({ location }) => printLine({ _tag: "Saved", recordId, path: location }, row.number),
        { discard: true }
      )
    }
    if (Option.isNone(unfinished)) return
    const { error, message } = unfinished.value
    const recordId = "recordId" in outcome ? outcome.recordId : undefined
    yield* printLine({ _tag: "Failed", error, message, recordId }, row.number)
  })

const printText = (row: Row, outcome: Outcome, unfinished: Option.Option<Unfinished>, count: number, shown: Shown) =>
  Effect.gen(function* () {
    const { isLive, quiet, total } = shown
    if (!quiet && Option.isSome(unfinished)) {
      const text = failureText(unfinished.value)
      yield* Console.error(isLive || outcome._tag === "Saved" ? text : `[${String(count)}/${String(total)}] ${text}`)
    }
    if (outcome._tag !== "Saved") return
    if (!quiet && !isLive) {
      yield* Console.error(`[${String(count)}/${String(total)}] saved ${JSON.stringify(row.request.prompt)}`)
    }
    // On a terminal, the summary names the directory instead.
    if (isLive && process.stdout.isTTY) return
    yield* Effect.forEach(outcome.images, ({ location }) => Console.log(location), { discard: true })
  })

/** Prints a row that has ended. `count` rows have ended so far. */
export const printResult = (row: Row, outcome: Outcome, count: number, shown: Shown): Effect.Effect<void> => {
  const unfinished = unfinishedOf(row, outcome)
  return shown.json ? printJson(row, outcome, unfinished) : printText(row, outcome, unfinished, count, shown)
}
