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
import { completed, saveDrawing } from "../../shared/saveImages.js"
import { services } from "../../shared/layers.js"
import type { Failure } from "../../shared/errors.js"
import { exitCodeOfFailure, exitCodes, explain, isGone, PartlyFailed } from "../../shared/errors.js"
import { writeGalleryOf } from "../gallery/gallery.js"
import * as Journal from "../../shared/journal.js"
import type { Service } from "../../shared/options.js"
import { proxyFlag } from "../../shared/options.js"
import { printLine } from "../../shared/jsonOutput.js"
import { journalRecorder, recordedBy } from "../../shared/submissionJournal.js"
import { reportedAsJson } from "../../shared/runAndReport.js"
import { lockDirectory } from "./lock.js"
import type { Task, Unfinished } from "./plan.js"
import { plan } from "./plan.js"
import type { Row } from "./promptFile.js"
import { readRequests } from "./promptFile.js"
import type { Tally } from "./batchProgress.js"
import { tally } from "./batchProgress.js"

export interface Input extends Service {
  readonly file: string
  readonly concurrency: number
  readonly output: string
  readonly retryFailed: boolean
  readonly json: boolean
}

const unfinished = (row: Row, failure: Failure): Unfinished => ({
  row,
  error: failure._tag,
  message: explain(failure),
  exitCode: exitCodeOfFailure(failure)
})

const sayGivenUp = ({ error, message, row }: Unfinished) => printLine({ _tag: "Failed", error, message }, row.number)

// Another try of the same would end the same way.
const isFinal = (failure: Failure): boolean =>
  failure._tag === "GenerationFailedError" ||
  (failure._tag === "ResponseError" && (failure.operation === "submit" || isGone(failure)))

// These errors affect every row, so stop the batch.
const concernsAll = (failure: Failure): boolean =>
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

/** Draws and saves what one row asks for. The journal knows of each step before the next one is taken. */
const perform = (task: Task, journal: Journal.Journal, input: Input, { report, saved }: Tally) =>
  Effect.gen(function* () {
    const { key } = task.row
    const done = yield* completed(eventsOf(task, input), (event) => report(task.row, event)).pipe(
      recordedBy(journalRecorder(journal, key))
    )
    const { failures, paths } = yield* saveDrawing(journal, key, input.output)(done)
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
const performAll = (tasks: ReadonlyArray<Task>, journal: Journal.Journal, input: Input) =>
  Effect.gen(function* () {
    const shown = yield* tally(tasks.length, input)
    const results = yield* Effect.forEach(
      tasks,
      (task) =>
        Effect.zipRight(shown.begun, perform(task, journal, input, shown)).pipe(
          Effect.as(Option.none()),
          Effect.catchIf(Predicate.not(concernsAll), (failure) =>
            Effect.as(shown.failed(task.row, failure), Option.some(unfinished(task.row, failure)))
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
      `Try only these again: ${quote(["effect-arta", "batch", input.file, ...flagsOf(input), "--retry-failed"])}`
    ].join("\n")
  })

/** Draws what every row of a file asks for, and goes on where an earlier run of the same stopped. */
export const batch = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const read = yield* readRequests(input.file)
    // What the emulator drew does not count as drawn where a real service is asked for the same.
    const rows = input.emulator ? read.map((row) => ({ ...row, key: `emulated-${row.key}` })) : read
    yield* lockDirectory(input.output)
    const journal = yield* Journal.open(input.output)
    const files = yield* fs.readDirectory(input.output)

    const { givenUp, tasks } = plan(rows, {
      drawings: yield* journal.drawings,
      files: new Set(files),
      retryFailed: input.retryFailed,
      isForgetful: input.emulator
    })
    if (input.json) yield* Effect.forEach(givenUp, sayGivenUp, { discard: true })
    const failed = yield* performAll(tasks, journal, input).pipe(
      Effect.onInterrupt(() => Console.error("Stopped. The same command goes on from here, and sends nothing twice."))
    )
    const page = yield* Effect.match(writeGalleryOf(input.output), {
      onFailure: (failure) => `No gallery: ${explain(failure)}`,
      onSuccess: (path) => `Gallery: ${path}`
    })

    const drawings = yield* journal.drawings
    const drawn = rows.filter(({ key }) => drawings.get(key)?.last._tag === "Saved").length
    yield* Console.error(`${String(drawn)} of ${String(rows.length)} drawn. ${page}`)
    const all = [...givenUp, ...failed].sort((one, other) => one.row.number - other.row.number)
    if (Array.isNonEmptyArray(all)) return yield* summary(all, input)
  }).pipe(Effect.scoped, Effect.provide(services(input)), reportedAsJson(input))
