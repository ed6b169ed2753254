import * as FileSystem from "@effect/platform/FileSystem"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import type { BatchRow, BatchStatus } from "effect-arta/batch"
import { DurableBatch } from "effect-arta/batch"
import { hostname } from "node:os"
import { batchDatabase, toFailure } from "../../../shared/database/batchServices.js"
import { encode, isHere, settingsOf } from "../../../shared/database/batchSettings.js"
import type { Database } from "../../../shared/database/chooseDatabase.js"
import { chooseDatabase } from "../../../shared/database/chooseDatabase.js"
import * as ImageSinks from "../../../shared/database/imageSinks.js"
import { runnerServices } from "../../../shared/database/runnerServices.js"
import { stopWithin } from "../../../shared/database/stopWithin.js"
import { UsageError } from "../../../shared/errors.js"
import * as Journal from "../../../shared/journal.js"
import type { Namer } from "../../../shared/nameTemplate.js"
import { limitsOf } from "../../../shared/options.js"
import { printable } from "../../../shared/printable.js"
import type { Input } from "../input.js"
import { confirm, countOf } from "../confirm.js"
import type { Row } from "../promptFile/promptFile.js"
import { absolute, findEarlier } from "./earlier.js"
import { showProgress } from "./progress.js"
import { printResult } from "./results.js"
import type { Round } from "./round.js"
import { chooseRound } from "./round.js"
import { toBatchRows } from "./rows.js"
import { failIfUnfinished, printEnd } from "./summary.js"

/** The round to run. Fails if its images belong to another machine, or if a changed file would be paid for again. */
const chooseBatch = (rows: ReadonlyArray<Row>, input: Input) =>
  Effect.gen(function* () {
    const summaries = yield* DurableBatch.batches
    const chosen = yield* chooseRound(rows, summaries, input)
    if (chosen.summary !== undefined) yield* refuseElsewhere(chosen.summary)
    else if (!input.again) yield* refuseChanged(input, summaries)
    return chosen
  })

/** Rows that are submitted here could not be saved where the batch says. */
const refuseElsewhere = (summary: BatchStatus.BatchSummary) => {
  const settings = Option.getOrUndefined(settingsOf(summary))
  return settings === undefined || isHere(settings)
    ? Effect.void
    : new UsageError({
        message:
          `The batch ${printable(summary.batch)} saves to ${printable(settings.directory)} on ${printable(settings.host)}, ` +
          "which is another machine. To run its rows on this one: effect-arta runner -o DIR"
      })
}

/** A changed file is another batch, whose rows would all be paid for: also those that the first one has. */
const refuseChanged = (input: Input, summaries: ReadonlyArray<BatchStatus.BatchSummary>) =>
  Effect.gen(function* () {
    const earlier = yield* findEarlier(summaries, input)
    if (earlier === undefined) return
    return yield* new UsageError({
      message:
        `${printable(input.file)} or its options have changed since the batch ${printable(earlier.batch)}, so all of its rows ` +
        "would be generated and paid for once more. To add rows, put them in a file of their own. " +
        "To generate every row, add --again."
    })
  })

/** A batch without a database may have paid for these rows. */
const refuseJournaled = (rows: ReadonlyArray<Row>, { output }: Input) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (!(yield* fs.exists(output))) return
    const known = new Set((yield* Journal.read(output)).map(({ key }) => key))
    const count = rows.filter(({ key }) => known.has(key)).length
    if (count === 0) return
    return yield* new UsageError({
      message:
        `The journal of ${printable(output)} has ${countOf(count, "row")} of this file already, from a batch without --database. ` +
        "Finish it without --database, or choose another directory: -o DIR"
    })
  })

const enqueue = (rows: ReadonlyArray<Row>, namer: Namer, { batch, round }: Round, input: Input) =>
  Effect.gen(function* () {
    const settings = encode({
      directory: yield* absolute(input.output),
      host: hostname(),
      metadata: input.metadata,
      file: yield* absolute(input.file),
      round
    })
    const batchRows = toBatchRows(rows, batch, round, namer)
    return yield* DurableBatch.enqueue(batchRows, { batch, settings, ...limitsOf(input) })
  })

type Outcomes = HashMap.HashMap<number, BatchRow.RowOutcome>

/** Prints the rows of all runners as they end. */
const printResults = (
  rows: ReadonlyArray<Row>,
  { batch }: Round,
  outcomes: Ref.Ref<Outcomes>,
  input: Input,
  isLive: boolean
) =>
  DurableBatch.results(batch).pipe(
    Stream.runForEach(({ outcome, row: position }) =>
      Effect.gen(function* () {
        const ended = yield* Ref.updateAndGet(outcomes, HashMap.set(position, outcome))
        const row = rows[position - 1]
        if (row === undefined) return
        const shown = { json: input.json, quiet: input.quiet, isLive, total: rows.length }
        yield* printResult(row, outcome, HashMap.size(ended), shown)
      })
    )
  )

const run = (rows: ReadonlyArray<Row>, chosen: Round, outcomes: Ref.Ref<Outcomes>, input: Input) =>
  Effect.gen(function* () {
    const isLive = yield* showProgress(chosen.batch, input)
    yield* Effect.all([DurableBatch.runUntilDone(chosen.batch), printResults(rows, chosen, outcomes, input, isLive)], {
      concurrency: "unbounded",
      discard: true
    })
  }).pipe(Effect.scoped)

const runBatch = (rows: ReadonlyArray<Row>, namer: Namer, database: Database, input: Input) =>
  Effect.gen(function* () {
    const chosen = yield* chooseBatch(rows, input)
    if (chosen.summary === undefined) {
      yield* refuseJournaled(rows, input)
      yield* confirm(
        rows.map((row) => ({ _tag: "Submit", row })),
        input
      )
    }
    const { added } = yield* enqueue(rows, namer, chosen, input)
    if (!input.quiet && !input.json) {
      const what = added === 0 ? "The database has its rows already" : `${countOf(added, "row")} added`
      yield* Console.error(`Batch ${chosen.batch}: ${what}. The database is ${database.url.shown}.`)
    }
    const outcomes = yield* Ref.make<Outcomes>(HashMap.empty())
    const end = { batch: chosen.batch, savedBefore: chosen.summary?.rows.saved ?? 0, flag: database.flag }
    yield* run(rows, chosen, outcomes, input).pipe(
      Effect.onExit((exit) =>
        Effect.flatMap(outcomes, (ended) =>
          printEnd(rows, ended, { ...end, isStopped: Exit.isInterrupted(exit) }, input)
        )
      )
    )
    yield* failIfUnfinished(rows, yield* outcomes, end, input)
  }).pipe(
    Effect.mapError(toFailure(database.url)),
    Effect.provide(
      ImageSinks.layer(
        { emulator: input.emulator, output: Option.none(), metadata: Option.none() },
        () => Effect.void
      ).pipe(Layer.provideMerge(runnerServices(database.url, input, "create")))
    )
  )

const readBatches = ({ url }: Database, input: Input) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    // A dry run creates no file.
    if (url._tag === "Sqlite" && !(yield* fs.exists(url.file))) return []
    return yield* DurableBatch.batches.pipe(
      Effect.mapError(toFailure(url)),
      Effect.provide(Layer.provide(DurableBatch.layerWithoutLedger(), batchDatabase(url, input, "fail")))
    )
  })

/** Prints what the database has of the batch, and sends nothing. */
const printDryRun = (rows: ReadonlyArray<Row>, database: Database, input: Input) =>
  Effect.gen(function* () {
    const { batch, summary } = yield* chooseRound(rows, yield* readBatches(database, input), input)
    const images = rows.reduce((sum, { request }) => sum + request.n, 0)
    yield* Console.log(
      [
        `Batch ${batch}: ${countOf(rows.length, "row")}, ${countOf(images, "image")}.`,
        summary === undefined
          ? "The database does not have it yet."
          : `The database has it: ${String(summary.rows.saved)} of ${countOf(rows.length, "row")} saved.`,
        "This was a dry run: nothing was sent."
      ].join("\n")
    )
  })

/** Enqueues the rows of a file in a database, and runs them here until all have ended, here or elsewhere. */
export const durableBatch = (rows: ReadonlyArray<Row>, namer: Namer, input: Input) =>
  Effect.gen(function* () {
    if (input.retryFailed) {
      return yield* new UsageError({
        message:
          "--retry-failed reads the journal of a directory, and --database keeps its rows in the database. " +
          "Write the failed rows to a file with --failures FILE, and run batch on that file."
      })
    }
    const database = yield* chooseDatabase(input, input.output)
    yield* input.dryRun ? printDryRun(rows, database, input) : stopWithin(runBatch(rows, namer, database, input))
  })
