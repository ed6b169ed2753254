import { availableParallelism } from "node:os"
import { table } from "../table.js"
import type { Resume, Throughput } from "./measure.js"

/** Everything that the page shows. */
export interface Results {
  readonly rowsOfPlain: number
  /** The processor time of a generation without a database, in milliseconds. */
  readonly plainMillis: number
  readonly throughput: ReadonlyArray<Throughput>
  readonly drawing: ReadonlyArray<Throughput>
  readonly queued: ReadonlyArray<{ readonly database: string; readonly rows: number; readonly peakBytes: number }>
  readonly inFlight: ReadonlyArray<{ readonly database: string; readonly inFlight: number; readonly peakBytes: number }>
  readonly resume: ReadonlyArray<Resume & { readonly database: string; readonly signal: string }>
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
const seconds = (millis: number) => `${(millis / 1_000).toFixed(1)} s`
const count = (value: number) => value.toLocaleString("en")

const throughputTable = (plainMillis: number, runs: ReadonlyArray<Throughput>) =>
  table(
    [
      "Database",
      "Rows",
      "Runners",
      "Generations/s",
      "Processor time each",
      "× without a database",
      "Transactions each",
      "Peak memory of a runner"
    ],
    runs.map((run) => [
      run.database,
      count(run.rows),
      String(run.runners),
      run.perSecond.toFixed(1),
      `${run.cpuMillis.toFixed(1)} ms`,
      (run.cpuMillis / plainMillis).toFixed(2),
      Number.isNaN(run.transactions) ? "" : run.transactions.toFixed(1),
      megabytes(run.peakBytes)
    ])
  )

const sizeTable = ({ rows, sizes }: Throughput) =>
  table(
    ["Table or index", "Bytes per row"],
    sizes.map(([name, bytes]) => [`\`${name}\``, (bytes / rows).toFixed(0)])
  )

/** The page as Markdown. */
export const report = (results: Results): string => {
  const largest = results.throughput.filter(({ database }) => database === "PostgreSQL").at(-1)
  const all = [...results.throughput, ...results.drawing]
  const repeated = all.reduce((sum, run) => sum + run.repeated, 0)
  return [
    "# Durable batches",
    "`npm run bench:batch` writes this page. Runners in processes of their own work through a batch, against an image\n" +
      "service in another process. PostgreSQL and SQLite have their default settings, and run on the same machine.",
    `No prompt of ${count(all.reduce((sum, run) => sum + run.rows, 0))} was submitted twice: ${count(repeated)} repeated submissions.`,
    "## Throughput",
    "The service draws in no time, and each runner has up to 100 generations in flight. The processor time is that of all\n" +
      `runners. A program without a database that calls \`Arta.run\` and \`ImageFile.save\` takes ${results.plainMillis.toFixed(1)} ms for each of\n` +
      `${count(results.rowsOfPlain)} generations.`,
    throughputTable(results.plainMillis, results.throughput),
    "A generation takes 5 seconds here, and each runner has up to 50 of them in flight:",
    throughputTable(results.plainMillis, results.drawing),
    "## Memory",
    table(
      ["Database", "Load", "Peak memory of the runner"],
      [
        ...results.queued.map((run) => [run.database, `${count(run.rows)} queued rows`, megabytes(run.peakBytes)]),
        ...results.inFlight.map((run) => [
          run.database,
          `${count(run.inFlight)} generations in flight`,
          megabytes(run.peakBytes)
        ])
      ]
    ),
    "## After a runner has stopped",
    "A runner with 20 generations in flight gets a signal, while another one has nothing to do. How long the process\n" +
      "takes to end, and until the other runner has polled all 20 generations:",
    table(
      ["Database", "Signal", "Ended after", "Resumed after"],
      results.resume.map((run) => [run.database, run.signal, seconds(run.endMillis), seconds(run.resumeMillis)])
    ),
    ...(largest === undefined
      ? []
      : ["## Bytes", `In PostgreSQL, after ${count(largest.rows)} rows have been saved:`, sizeTable(largest)]),
    ...all
      .filter(({ rows }) => rows >= 20_000)
      .slice(0, 1)
      .map((run) => `Enqueueing ${count(run.rows)} rows took ${seconds(run.enqueueMillis)}.`),
    `Measured with ${String(availableParallelism())} cores and Node ${process.versions.node.split(".")[0] ?? ""}.\n`
  ].join("\n\n")
}
