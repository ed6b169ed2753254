import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Array from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import { fileBeside } from "../../shared/database/chooseDatabase.js"
import type { Failure } from "../../shared/errors.js"
import { UsageError } from "../../shared/errors.js"
import * as Journal from "../../shared/journal.js"
import { formatLine, printLine } from "../../shared/jsonOutput.js"
import { services } from "../../shared/layers.js"
import type { Namer } from "../../shared/nameTemplate.js"
import { namerOf } from "../../shared/nameTemplate.js"
import { withSettings } from "../../shared/settings.js"
import { isStandardOutput } from "../../shared/standardOutput.js"
import { printFailureAsJson } from "../../shared/runAndReport.js"
import { hasLiveLine } from "../../shared/liveLine.js"
import { confirm } from "./confirm.js"
import { printDryRun } from "./dryRun.js"
import { checkFailuresFile } from "./failuresFile.js"
import type { Input } from "./input.js"
import { lockDirectory } from "./lock.js"
import type { Done, Plan, Task, Unfinished } from "./plan.js"
import { plan } from "./plan.js"
import type { Row } from "./promptFile/promptFile.js"
import * as PromptFile from "./promptFile/promptFile.js"
import { withNewSeed } from "./rounds.js"
import { runRows } from "./runRows.js"
import { keyPrefix } from "../../shared/serviceKey.js"
import { printRefused, printStopped, printSummary, toPartlyFailed } from "./summary.js"

/** The rows of the file. Each service has keys of its own. */
const readRows = (input: Input) =>
  Effect.zipWith(PromptFile.readRequests(input), keyPrefix(input), (rows, prefix) =>
    rows.map((row) => ({ ...row, key: `${prefix}${row.key}` }))
  )

const checkOptions = (input: Input) =>
  Effect.gen(function* () {
    if (input.again && input.retryFailed) {
      return yield* new UsageError({
        message: "--again generates every row, --retry-failed only those that failed. Choose one of them."
      })
    }
    if (isStandardOutput(input)) return yield* new UsageError({ message: "A batch saves to a directory: -o images" })
    if (Option.isSome(input.failures)) yield* checkFailuresFile(input.failures.value, input.file)
  })

const planRows = (rows: ReadonlyArray<Row>, journal: Journal.Journal, input: Input) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const files = yield* fs.readDirectory(input.output)
    const planned = plan(rows, {
      records: yield* journal.records,
      files: new Set(files),
      retryFailed: input.retryFailed,
      again: input.again,
      isEmulator: input.emulator
    })
    const tasks = yield* Effect.forEach(planned.tasks, (task) =>
      Effect.map(withNewSeed(task.row), (row): Task => ({ ...task, row }))
    )
    return { ...planned, tasks }
  })

const doneLines = ({ files, recordId, row }: Done, { json, output }: Input, path: Path.Path): ReadonlyArray<string> => {
  const paths = files.map((file) => path.join(output, file))
  if (!json) return paths
  if (recordId === undefined) return []
  return paths.map((file) => formatLine({ _tag: "Saved", recordId, path: file }, row.number))
}

// A write for each of many lines would take as long as everything else.
const printDone = (done: ReadonlyArray<Done>, input: Input) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const lines = done.flatMap((row) => doneLines(row, input, path))
    yield* Effect.forEach(Array.chunksOf(lines, 1_000), (chunk) => Console.log(chunk.join("\n")), { discard: true })
  })

/** Prints what earlier runs did, before this one starts. On a terminal, the summary says it. */
const printEarlier = ({ done, failedEarlier, isResumed }: Plan, input: Input) =>
  Effect.gen(function* () {
    if (input.again && !input.quiet) {
      yield* Console.error(
        isResumed
          ? "Resuming the last run with --again, which did not end. To generate every row once more, run it again afterwards."
          : "Generating every row once more, with new seeds. The images of earlier runs stay."
      )
    }
    const isOnTerminal = !input.json && process.stdout.isTTY && (yield* hasLiveLine)
    if (!isOnTerminal) yield* printDone(done, input)
    if (input.json) {
      yield* Effect.forEach(
        failedEarlier,
        ({ error, message, row }) => printLine({ _tag: "Failed", error, message }, row.number),
        { discard: true }
      )
    }
  })

const byNumber = Array.sortWith(({ row }: Unfinished) => row.number, Order.number)

const runBatch = (rows: ReadonlyArray<Row>, namer: Namer, input: Input) =>
  Effect.gen(function* () {
    const { ensureHeld } = yield* lockDirectory(input.output)
    const journal = yield* Journal.open(input.output, { beforeSend: ensureHeld })
    const planned = yield* planRows(rows, journal, input)
    yield* confirm(planned.tasks, input)
    yield* printEarlier(planned, input)
    const outcome = yield* runRows(planned.tasks, journal, { ...input, namer }).pipe(
      Effect.onExit((exit) =>
        Effect.zipRight(
          printSummary(planned, journal, input),
          Effect.when(printStopped(planned, journal, input), () => Exit.isInterrupted(exit))
        )
      )
    )
    const unfinished = byNumber([...planned.failedEarlier, ...outcome.failed])
    const failure = Array.isNonEmptyReadonlyArray(unfinished) ? toPartlyFailed(unfinished, input) : undefined
    const [refusal] = outcome.stopped
    if (refusal !== undefined) {
      if (failure !== undefined) yield* Console.error(failure.message)
      yield* printRefused(planned, journal, outcome)
      return yield* Effect.fail(refusal.failure)
    }
    if (failure !== undefined) return yield* failure
  }).pipe(Effect.scoped, Effect.provide(services(input)))

/** A batch with a database may have paid for these rows. */
const refuseEnqueued = (rows: ReadonlyArray<Row>, input: Input) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const url = yield* fileBeside(input.output)
    if (input.again || !(yield* fs.exists(url.file))) return
    const durable = yield* Effect.promise(() => import("./durable/refuseEnqueued.js"))
    yield* durable.refuseEnqueued(rows, url, input)
  })

/** Generates the images of every row of a file. Resumes where an earlier run stopped. */
export const batch = (input: Input): Effect.Effect<void, Failure, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    yield* checkOptions(input)
    const namer = yield* namerOf(input.name, ["row"])
    const rows = yield* input.emulator ? readRows(input) : withSettings(readRows(input))
    if (Option.isSome(input.database)) {
      const { durableBatch } = yield* Effect.promise(() => import("./durable/durableBatch.js"))
      return yield* input.emulator ? durableBatch(rows, namer, input) : withSettings(durableBatch(rows, namer, input))
    }
    yield* refuseEnqueued(rows, input)
    yield* input.dryRun ? printDryRun(rows, input) : runBatch(rows, namer, input)
  }).pipe(printFailureAsJson(input))
