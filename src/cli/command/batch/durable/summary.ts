import * as Array from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { BatchRow } from "effect-arta/batch"
import { quote } from "shell-quote"
import { explain, isGone, PartlyFailed, watchCommand } from "../../../shared/errors.js"
import type { Input } from "../input.js"
import { countOf } from "../confirm.js"
import { writeFailures } from "../failuresFile.js"
import type { Unfinished } from "../plan.js"
import type { Row } from "../promptFile/promptFile.js"
import { commonExitCode, galleryText, listOf } from "../summary.js"
import { unfinishedOf } from "./results.js"

type Outcomes = HashMap.HashMap<number, BatchRow.RowOutcome>

interface End {
  readonly batch: string
  readonly savedBefore: number
  readonly flag: ReadonlyArray<string>
}

const outcomesOf = (rows: ReadonlyArray<Row>, outcomes: Outcomes) =>
  rows.flatMap((row, index) =>
    Option.match(HashMap.get(outcomes, index + 1), { onNone: () => [], onSome: (outcome) => [{ row, outcome }] })
  )

const totals = (saved: number, total: number, savedBefore: number): string => {
  const now = Math.max(0, saved - savedBefore)
  const before = saved - now
  const parts = `: ${String(now)} generated now, ${String(before)} ${before === 1 ? "was" : "were"} there before`
  return `${String(saved)} of ${String(total)} saved${before === 0 ? "" : parts}.`
}

const isFinal = (error: BatchRow.RowError): boolean =>
  error._tag === "GenerationFailedError" || (error._tag === "ResponseError" && isGone(error))

/** The generation of a row that failed, if the service may still have its images. */
const recoverable = (outcome: BatchRow.RowOutcome) =>
  outcome._tag === "Failed" && !isFinal(outcome.error) ? Option.fromNullable(outcome.recordId) : Option.none()

/** Writes the rows that failed for good, or were not accepted. The others may be paid for already. */
const failuresText = (ended: ReturnType<typeof outcomesOf>, file: string) => {
  const [failed, paid] = Array.partition(
    ended.filter(({ outcome }) => outcome._tag === "Failed" || outcome._tag === "Unknown"),
    ({ outcome }) => outcome._tag === "Unknown" || Option.isSome(recoverable(outcome))
  )
  const rows = failed.map(({ row }) => row)
  return Effect.match(writeFailures(file, rows), {
    onFailure: (failure) => explain(failure),
    onSuccess: () =>
      [
        `${countOf(rows.length, "row")} to run again in ${file}`,
        ...(paid.length === 0 ? [] : [`It leaves out ${countOf(paid.length, "row")} that may be paid for already.`])
      ].join("\n")
  })
}

/** Prints what the directory has, and writes the gallery and the file of `--failures`. */
export const printEnd = (
  rows: ReadonlyArray<Row>,
  outcomes: Outcomes,
  { isStopped, savedBefore }: End & { readonly isStopped: boolean },
  input: Input
) =>
  Effect.gen(function* () {
    const ended = outcomesOf(rows, outcomes)
    const saved = ended.filter(({ outcome }) => outcome._tag === "Saved").length
    const failures = yield* Effect.transposeMapOption(input.failures, (file) => failuresText(ended, file))
    const gallery = yield* galleryText(input.output)
    if (!input.quiet) {
      yield* Console.error(
        [`${totals(saved, rows.length, savedBefore)} ${gallery}`, ...Option.toArray(failures)].join("\n")
      )
    }
    if (!isStopped) return
    yield* Console.error(
      "Stopped. Other runners go on with its rows. Run the same command again to resume. It submits nothing twice."
    )
  })

const isUnknown = ({ error }: Unfinished): boolean => error === "SubmissionUnknownError"

const maxCommands = 20

/** The commands that get images that the service may still have. The emulator in memory has none. */
const watchAdvice = (outcomes: ReadonlyArray<BatchRow.RowOutcome>, input: Input): ReadonlyArray<string> => {
  const commands = Array.filterMap(outcomes, recoverable).map((id) => watchCommand(id, ["-o", input.output]))
  if (commands.length === 0 || input.emulator) return []
  const more = commands.length - maxCommands
  return [
    "The service accepted these rows. To get their images if they are there:",
    ...commands.slice(0, maxCommands),
    ...(more > 0 ? [`…and ${String(more)} more. Run the same command with --json to print every record id.`] : [])
  ]
}

const adviceOf = (
  unfinished: ReadonlyArray<Unfinished>,
  outcomes: ReadonlyArray<BatchRow.RowOutcome>,
  { batch, flag }: End,
  input: Input
): ReadonlyArray<string> => [
  ...watchAdvice(outcomes, input),
  ...(unfinished.some(isUnknown)
    ? [
        "To submit the unknown rows again, which may be paid twice: " +
          quote(["effect-arta", "retry", batch, "--unknown", ...flag, ...(input.emulator ? ["--emulator"] : [])])
      ]
    : []),
  ...(Option.isNone(input.failures) && unfinished.some((row) => !isUnknown(row) && row.error !== "MissingImages")
    ? ["To get a file of the failed rows, run the same command again with --failures FILE."]
    : [])
]

/** Fails if rows did not end with all their images. */
export const failIfUnfinished = (rows: ReadonlyArray<Row>, outcomes: Outcomes, end: End, input: Input) => {
  const ended = outcomesOf(rows, outcomes)
  const unfinished = ended.flatMap(({ outcome, row }) => Option.toArray(unfinishedOf(row, outcome)))
  return Array.isNonEmptyReadonlyArray(unfinished)
    ? new PartlyFailed({
        exitCode: commonExitCode(unfinished),
        message: [
          ...listOf(unfinished),
          ...adviceOf(
            unfinished,
            ended.map(({ outcome }) => outcome),
            end,
            input
          )
        ].join("\n")
      })
    : Effect.void
}
