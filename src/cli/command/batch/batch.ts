import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import * as Predicate from "effect/Predicate"
import { Arta } from "effect-arta"
import { quote } from "shell-quote"
import { awaitCompleted, saveJournaled } from "../../shared/saveImages.js"
import { services } from "../../shared/layers.js"
import type { Failure } from "../../shared/errors.js"
import {
  exitCodeOfFailure,
  exitCodes,
  explain,
  failedLine,
  failIfMissing,
  isGone,
  PartlyFailed
} from "../../shared/errors.js"
import { writeGalleryFromJournal } from "../gallery/writeGallery.js"
import * as Journal from "../../shared/journal.js"
import type { ServiceOptions } from "../../shared/options.js"
import { imageFlags, limitFlags, limitsOf, proxyFlag, watchFlags } from "../../shared/options.js"
import type { ConfirmationOptions } from "../../shared/promptFileOptions.js"
import { promptFileFlags } from "../../shared/promptFileOptions.js"
import { printLine } from "../../shared/jsonOutput.js"
import * as SubmissionJournal from "../../shared/submissionJournal.js"
import { printFailureAsJson } from "../../shared/runAndReport.js"
import { lockDirectory } from "./lock.js"
import { keyPrefix } from "./serviceKey.js"
import type { Task, Unfinished } from "./plan.js"
import { plan } from "./plan.js"
import { confirm } from "./confirm.js"
import { printDryRun } from "./dryRun.js"
import type { Row } from "./promptFile/promptFile.js"
import * as PromptFile from "./promptFile/promptFile.js"
import type { BatchProgress } from "./batchProgress.js"
import { batchProgress } from "./batchProgress.js"

export interface Input extends PromptFile.Input, ConfirmationOptions, ServiceOptions {
  readonly concurrency: number
  readonly output: string
  readonly retryFailed: boolean
  readonly json: boolean
}

/** The rows of the file. Each service has keys of its own. */
const readRows = (input: Input) =>
  Effect.zipWith(PromptFile.readRequests(input), keyPrefix(input), (rows, prefix) =>
    rows.map((row) => ({ ...row, key: `${prefix}${row.key}` }))
  )

const toUnfinished = (row: Row, failure: Failure): Unfinished => ({
  row,
  error: failure._tag,
  message: explain(failure),
  exitCode: exitCodeOfFailure(failure)
})

// Another attempt would fail in the same way.
const isFinal = (failure: Failure): boolean =>
  failure._tag === "GenerationFailedError" ||
  (failure._tag === "ResponseError" && (failure.operation === "submit" || isGone(failure)))

// These errors affect every row, so stop the batch.
const affectsAllRows = (failure: Failure): boolean =>
  failure._tag === "AuthError" ||
  failure._tag === "UnauthorizedError" ||
  failure._tag === "RateLimitedError" ||
  failure._tag === "TokenStoreError" ||
  failure._tag === "SystemError" ||
  failure._tag === "SetupError" ||
  (failure._tag === "DownloadError" && failure.path !== undefined)

const eventsOf = (task: Task, input: Input) => {
  const settings = { timeout: Duration.seconds(input.timeout), ...limitsOf(input) }
  return task._tag === "Submit" ? Arta.generate(task.row.request, settings) : Arta.watch(task.recordId, settings)
}

const recordFinal = (journal: Journal.Journal, row: Row, failure: Failure) => {
  const { error, exitCode, message } = toUnfinished(row, failure)
  return isFinal(failure) ? journal.note({ _tag: "Failed", key: row.key, error, message, exitCode }) : Effect.void
}

/**
 * Generates and saves one row. The journal records each step before the next one. Returns the row if images of it did
 * not come: the others are saved, so the row is not generated again.
 */
const runTask = (task: Task, journal: Journal.Journal, input: Input, progress: BatchProgress) =>
  Effect.gen(function* () {
    const { row } = task
    const done = yield* awaitCompleted(eventsOf(task, input), (event) => progress.report(row, event)).pipe(
      SubmissionJournal.withJournal(
        SubmissionJournal.fromJournal(journal, row.key, watchFlags({ ...input, noSave: false }))
      )
    )
    const { failures, paths } = yield* saveJournaled(journal, row.key, input.output)(done)
    const [failure] = failures
    if (failure !== undefined) return yield* failure
    yield* progress.saved(task, done.recordId, paths)
    return yield* Effect.matchEffect(failIfMissing(done), {
      onFailure: (failure) =>
        Effect.as(
          Effect.when(printLine(failedLine(failure), row.number), () => input.json),
          Option.some(toUnfinished(row, failure))
        ),
      onSuccess: () => Effect.succeed(Option.none<Unfinished>())
    })
  }).pipe(Effect.tapError((failure) => recordFinal(journal, task.row, failure)))

/** Runs the tasks and returns the rows that fail. Fails itself if an error affects all rows. */
const runTasks = (tasks: ReadonlyArray<Task>, journal: Journal.Journal, input: Input) =>
  Effect.gen(function* () {
    const progress = yield* batchProgress(tasks.length, input)
    const results = yield* Effect.forEach(
      tasks,
      (task) =>
        Effect.zipRight(progress.started(task), runTask(task, journal, input, progress)).pipe(
          Effect.catchIf(Predicate.not(affectsAllRows), (failure) =>
            Effect.as(progress.failed(task, failure), Option.some(toUnfinished(task.row, failure)))
          )
        ),
      { concurrency: input.concurrency }
    )
    return Array.getSomes(results)
  }).pipe(
    Effect.scoped,
    Effect.onInterrupt(() => Console.error("Stopped. Run the same command again to resume. It submits nothing twice."))
  )

const printFailedEarlier = (rows: ReadonlyArray<Unfinished>) =>
  Effect.forEach(rows, ({ error, message, row }) => printLine({ _tag: "Failed", error, message }, row.number), {
    discard: true
  })

/** Generates what is missing. Returns the rows without images, those that failed earlier included. */
const resumeRows = (rows: ReadonlyArray<Row>, journal: Journal.Journal, input: Input) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const files = yield* fs.readDirectory(input.output)

    const { failedEarlier, tasks } = plan(rows, {
      records: yield* journal.records,
      files: new Set(files),
      retryFailed: input.retryFailed,
      isEmulator: input.emulator
    })
    yield* confirm(tasks, input)
    if (input.json) yield* printFailedEarlier(failedEarlier)
    const failed = yield* runTasks(tasks, journal, input)
    return Array.sortWith([...failedEarlier, ...failed], ({ row }) => row.number, Order.number)
  })

const printTotals = (rows: ReadonlyArray<Row>, journal: Journal.Journal, input: Input) =>
  Effect.gen(function* () {
    const page = yield* Effect.match(writeGalleryFromJournal(input.output), {
      onFailure: (failure) => `No gallery: ${explain(failure)}`,
      onSuccess: (path) => `Gallery: ${path}`
    })
    const records = yield* journal.records
    const isSaved = ({ key }: Row) => Option.exists(HashMap.get(records, key), ({ last }) => last._tag === "Saved")
    const saved = rows.filter(isSaved).length
    yield* Console.error(`${String(saved)} of ${String(rows.length)} saved. ${page}`)
  })

/** The exit code that all rows share, or the one for unexpected errors. */
const commonExitCode = (rows: Array.NonEmptyReadonlyArray<Unfinished>): number => {
  const [code, ...others] = new Set(rows.map(({ exitCode }) => exitCode))
  return code === undefined || others.length > 0 ? exitCodes.unexpected : code
}

const retryCommand = (input: Input): string =>
  quote([
    "effect-arta",
    "batch",
    input.file,
    "-o",
    input.output,
    ...promptFileFlags(input),
    ...imageFlags(input),
    ...limitFlags(input),
    ...(input.emulator ? ["--emulator"] : []),
    ...proxyFlag(input.proxy),
    "--retry-failed"
  ])

const toPartlyFailed = (rows: Array.NonEmptyReadonlyArray<Unfinished>, input: Input) =>
  new PartlyFailed({
    exitCode: commonExitCode(rows),
    message: [
      ...rows.map(({ message, row }) => `Row ${String(row.number)}, ${JSON.stringify(row.request.prompt)}: ${message}`),
      ...(rows.every(({ error }) => error === "MissingImages")
        ? []
        : [`To retry only these rows: ${retryCommand(input)}`])
    ].join("\n")
  })

const runBatch = (rows: ReadonlyArray<Row>, input: Input) =>
  Effect.gen(function* () {
    const { ensureHeld } = yield* lockDirectory(input.output)
    const journal = yield* Journal.open(input.output, { beforeSend: ensureHeld })
    const unfinished = yield* resumeRows(rows, journal, input)
    yield* printTotals(rows, journal, input)
    if (Array.isNonEmptyArray(unfinished)) return yield* toPartlyFailed(unfinished, input)
  }).pipe(Effect.scoped, Effect.provide(services(input)))

/** Generates the images of every row of a file. Resumes where an earlier run stopped. */
export const batch = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.flatMap(readRows(input), (rows) => (input.dryRun ? printDryRun(rows, input) : runBatch(rows, input))).pipe(
    printFailureAsJson(input)
  )
