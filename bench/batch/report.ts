import { Array } from "effect"
import { availableParallelism } from "node:os"
import { table } from "../table.js"
import type { Plain, Queued, Resume, Throughput } from "./measure.js"

/** Everything that the page shows. */
export interface Results {
  readonly plain: ReadonlyArray<Plain>
  readonly throughput: ReadonlyArray<Throughput>
  readonly queued: ReadonlyArray<Queued & { readonly database: string; readonly rows: number }>
  readonly inFlight: ReadonlyArray<{ readonly database: string; readonly inFlight: number; readonly peakBytes: number }>
  readonly resume: ReadonlyArray<Resume & { readonly database: string; readonly signal: string }>
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
const seconds = (millis: number) => `${(millis / 1_000).toFixed(1)} s`
const count = (value: number) => value.toLocaleString("en")

const isSameLoad = (one: Plain, other: Throughput) =>
  one.rows === other.rows && one.drawMillis === other.drawMillis && one.concurrency === other.concurrency

const plainOf = (results: Results, run: Throughput) =>
  results.plain.find((load) => isSameLoad(load, run))?.cpuMillis ?? Number.NaN

const throughputTable = (results: Results, runs: ReadonlyArray<Throughput>) =>
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
      (run.cpuMillis / plainOf(results, run)).toFixed(2),
      Number.isNaN(run.transactions) ? "" : run.transactions.toFixed(1),
      megabytes(run.peakBytes)
    ])
  )

/** The worst of both databases, and what it should be. */
const targets = (results: Results): ReadonlyArray<readonly [target: string, measured: string, limit: string]> => {
  const { inFlight, queued, resume, throughput } = results
  const databases = [...new Set(throughput.map(({ database }) => database))]
  const single = throughput.filter(({ runners, drawMillis }) => runners === 1 && drawMillis === 0)
  const resumed = (signal: string) =>
    Math.max(...resume.filter((run) => run.signal === signal).map(({ resumeMillis }) => resumeMillis))
  const growth = databases.map((database) => {
    const peaks = queued.filter((run) => run.database === database).map(({ peakBytes }) => peakBytes)
    return (peaks.at(-1) ?? Number.NaN) / (peaks[0] ?? Number.NaN)
  })
  const speedUps = databases.map((database) => {
    const speeds = throughput.filter((run) => run.database === database && run.drawMillis > 0)
    return (speeds.at(-1)?.perSecond ?? Number.NaN) / (speeds[0]?.perSecond ?? Number.NaN)
  })
  const transactions = throughput.map((run) => run.transactions).filter((value) => !Number.isNaN(value))
  return [
    ["Enqueueing the longest queue", seconds(Math.max(...queued.map((run) => run.enqueueMillis))), "≤ 10 s"],
    ["Resumed after SIGKILL", seconds(resumed("SIGKILL")), "≤ 45 s"],
    ["Resumed after SIGTERM", seconds(resumed("SIGTERM")), "≤ 5 s"],
    ["Memory with the longest queue, relative to the shortest", Math.max(...growth).toFixed(2), "≤ 1.2"],
    [
      "Memory with most generations in flight",
      megabytes(Math.max(...inFlight.map((run) => run.peakBytes))),
      "≤ 400 MB"
    ],
    [
      "Processor time of one runner, relative to a program without a database",
      Math.max(...single.map((run) => run.cpuMillis / plainOf(results, run))).toFixed(2),
      "≤ 1.8"
    ],
    ["Transactions per generation", Math.max(...transactions).toFixed(1), "≤ 10"],
    ["Two runners, relative to one, if a generation takes 5 seconds", Math.min(...speedUps).toFixed(2), "≥ 1.6"]
  ]
}

const sizeTable = ({ rows, sizes }: Throughput) =>
  table(
    ["Table or index", "Bytes per row"],
    sizes.map(([name, bytes]) => [`\`${name}\``, (bytes / rows).toFixed(0)])
  )

/** The page as Markdown. */
export const report = (results: Results): string => {
  const [drawing, throughput] = Array.partition(results.throughput, ({ drawMillis }) => drawMillis === 0)
  const largest = throughput.filter(({ database }) => database === "PostgreSQL").at(-1)
  const all = results.throughput
  const repeated = all.reduce((sum, run) => sum + run.repeated, 0)
  return [
    "# Durable batches",
    "`npm run bench:batch` writes this page. Runners in processes of their own work through a batch, against an image\n" +
      "service in another process. PostgreSQL and SQLite have their default settings, and run on the same machine.",
    `No prompt of ${count(all.reduce((sum, run) => sum + run.rows, 0))} was submitted twice: ${count(repeated)} repeated submissions.`,
    "## Targets",
    table(["", "Measured", "Target"], targets(results)),
    "## Throughput",
    "The processor time is that of all runners, relative to a program without a database that calls `Arta.run` and\n" +
      "`ImageFile.save` for the same load. The service draws in no time, and each runner has up to 100 generations in flight:",
    throughputTable(results, throughput),
    "A generation takes 5 seconds here, and each runner has up to 50 of them in flight. Most of the processor time of so few\n" +
      "generations is that of code which is not compiled yet:",
    throughputTable(results, drawing),
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
    "## Enqueueing",
    table(
      ["Database", "Rows", "Time"],
      results.queued.map((run) => [run.database, count(run.rows), seconds(run.enqueueMillis)])
    ),
    `Measured with ${String(availableParallelism())} cores and Node ${process.versions.node.split(".")[0] ?? ""}.\n`
  ].join("\n\n")
}
