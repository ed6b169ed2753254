import * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { Arta } from "effect-arta"
import { quote } from "shell-quote"
import { awaitCompleted, saveJournaled } from "../../shared/saveImages.js"
import { services } from "../../shared/layers.js"
import type { Failure } from "../../shared/errors.js"
import { exitCodeOfFailure, exitCodes, explain, isGone, PartlyFailed } from "../../shared/errors.js"
import { writeGalleryFromJournal } from "../gallery/gallery.js"
import * as Journal from "../../shared/journal.js"
import type { ServiceOptions } from "../../shared/options.js"
import { proxyFlag } from "../../shared/options.js"
import { printLine } from "../../shared/jsonOutput.js"
import * as SubmissionJournal from "../../shared/submissionJournal.js"
import { printFailureAsJson } from "../../shared/runAndReport.js"
import { lockDirectory } from "./lock.js"
import type { Task, Unfinished } from "./plan.js"
import { plan } from "./plan.js"
import type { Row } from "./promptFile.js"
import { readRequests } from "./promptFile.js"
import type { BatchProgress } from "./batchProgress.js"
import { batchProgress } from "./batchProgress.js"

export interface Input extends ServiceOptions {
  readonly file: string
  readonly concurrency: number
  readonly output: string
  readonly retryFailed: boolean
  readonly json: boolean
}

const toUnfinished = (row: Row, failure: Failure): Unfinished => ({
  row,
  error: failure._tag,
  message: explain(failure),
  exitCode: exitCodeOfFailure(failure)
})

const printFailedEarlier = ({ error, message, row }: Unfinished) =>
  printLine({ _tag: "Failed", error, message }, row.number)

// Another try of the same would end the same way.
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
  (failure._tag === "DownloadError" && failure.path !== undefined)

const eventsOf = (task: Task, input: Input) => {
  const settings = { timeout: Duration.seconds(input.timeout) }
  return task._tag === "Submit" ? Arta.generate(task.row.request, settings) : Arta.watch(task.recordId, settings)
}

/** Generates and saves one row. The journal records each step before the next one. */
const runTask = (task: Task, journal: Journal.Journal, input: Input, { report, saved }: BatchProgress) =>
  Effect.gen(function* () {
    const { key } = task.row
    const done = yield* awaitCompleted(eventsOf(task, input), (event) => report(task.row, event)).pipe(
      SubmissionJournal.withJournal(SubmissionJournal.fromJournal(journal, key))
    )
    const { failures, paths } = yield* saveJournaled(journal, key, input.output)(done)
    const [failure] = failures
    if (failure !== undefined) return yield* failure
    yield* saved(task.row, done.recordId, paths)
  }).pipe(
    Effect.tapError((failure) =>
      isFinal(failure)
        ? journal.note({
            _tag: "Failed",
            key: task.row.key,
            error: failure._tag,
            message: explain(failure),
            exitCode: exitCodeOfFailure(failure)
          })
        : Effect.void
    )
  )

/** Gives the failures of single rows. A failure that would be that of every row ends them all. */
const runTasks = (tasks: ReadonlyArray<Task>, journal: Journal.Journal, input: Input) =>
  Effect.gen(function* () {
    const shown = yield* batchProgress(tasks.length, input)
    const results = yield* Effect.forEach(
      tasks,
      (task) =>
        Effect.zipRight(shown.started, runTask(task, journal, input, shown)).pipe(
          Effect.as(Option.none()),
          Effect.catchIf(Predicate.not(affectsAllRows), (failure) =>
            Effect.as(shown.failed(task.row, failure), Option.some(toUnfinished(task.row, failure)))
          )
        ),
      { concurrency: input.concurrency }
    )
    return Array.getSomes(results)
  }).pipe(Effect.scoped)

const codeOf = (all: Array.NonEmptyReadonlyArray<Unfinished>): number => {
  const [code, ...others] = new Set(all.map(({ exitCode }) => exitCode))
  return code === undefined || others.length > 0 ? exitCodes.unexpected : code
}

const flagsOf = ({ emulator, output, proxy }: Input): ReadonlyArray<string> => [
  "-o",
  output,
  ...(emulator ? ["--emulator"] : []),
  ...proxyFlag(proxy)
]

const summary = (all: Array.NonEmptyReadonlyArray<Unfinished>, input: Input) =>
  new PartlyFailed({
    exitCode: codeOf(all),
    message: [
      ...all.map(({ message, row }) => `Row ${String(row.number)}, ${JSON.stringify(row.request.prompt)}: ${message}`),
      `To retry only these rows: ${quote(["effect-arta", "batch", input.file, ...flagsOf(input), "--retry-failed"])}`
    ].join("\n")
  })

/** Generates the images of every row of a file. Resumes where an earlier run stopped. */
export const batch = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const read = yield* readRequests(input.file)
    // An emulator's images must not stand in for those of the real service, so its rows have keys of their own.
    const rows = input.emulator ? read.map((row) => ({ ...row, key: `emulated-${row.key}` })) : read
    yield* lockDirectory(input.output)
    const journal = yield* Journal.open(input.output)
    const files = yield* fs.readDirectory(input.output)

    const { failedEarlier, tasks } = plan(rows, {
      records: yield* journal.records,
      files: new Set(files),
      retryFailed: input.retryFailed,
      isEmulator: input.emulator
    })
    if (input.json) yield* Effect.forEach(failedEarlier, printFailedEarlier, { discard: true })
    const failed = yield* runTasks(tasks, journal, input).pipe(
      Effect.onInterrupt(() =>
        Console.error("Stopped. Run the same command again to resume. It submits nothing twice.")
      )
    )
    const page = yield* Effect.match(writeGalleryFromJournal(input.output), {
      onFailure: (failure) => `No gallery: ${explain(failure)}`,
      onSuccess: (path) => `Gallery: ${path}`
    })

    const records = yield* journal.records
    const saved = rows.filter(({ key }) => records.get(key)?.last._tag === "Saved").length
    yield* Console.error(`${String(saved)} of ${String(rows.length)} saved. ${page}`)
    const all = [...failedEarlier, ...failed].sort((one, other) => one.row.number - other.row.number)
    if (Array.isNonEmptyArray(all)) return yield* summary(all, input)
  }).pipe(Effect.scoped, Effect.provide(services(input)), printFailureAsJson(input))
