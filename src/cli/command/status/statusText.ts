import type { BatchStatus } from "effect-arta/batch"
import { stripVTControlCharacters } from "node:util"
import { printable } from "../../shared/printable.js"
import { countOf } from "../batch/confirm.js"
import { timeText } from "../batch/timeLeft.js"
import type { BatchView, StatusView } from "./statusView.js"

type Counts = BatchStatus.RowCounts

const totalOf = (rows: Counts): number => Object.values(rows).reduce((sum, count) => sum + count, 0)

export const openOf = ({ queued, running }: Counts): number => queued + running

/** `312 of 1000 saved, 8 running, 677 queued, 1 unknown, 2 failed` */
const countsText = (rows: Counts): string =>
  [
    `${String(rows.saved)} of ${String(totalOf(rows))} saved`,
    ...(["running", "queued", "unknown", "failed", "cancelled"] as const).flatMap((state) =>
      rows[state] === 0 ? [] : [`${String(rows[state])} ${state}`]
    )
  ].join(", ")

const rateText = (rate: number): string => `${rate < 10 ? rate.toFixed(1) : String(Math.round(rate))} rows a second`

/** `3.2 rows a second, 4 min left` */
const speedText = ({ rate, timeLeft }: BatchView): ReadonlyArray<string> => [
  ...(rate === 0 ? [] : [rateText(rate)]),
  ...(timeLeft === undefined ? [] : [`${timeText(timeLeft)} left`])
]

export const failureText = ({ error, message, name, row }: BatchView["failures"][number]): string =>
  `row ${String(row)} (${printable(name)}): ${error}: ${printable(stripVTControlCharacters(message))}`

const runnerText = ({ host, pid, running }: StatusView["runners"][number]): string =>
  `${printable(host)} (process ${String(pid)}, ${countOf(running, "row")})`

const runnersText = (runners: StatusView["runners"]): string =>
  runners.length === 0
    ? "No runner is alive."
    : `${countOf(runners.length, "runner")}: ${runners.map(runnerText).join(", ")}`

/** A batch in one line. */
export const lineOf = (view: BatchView): string =>
  [`${printable(view.batch)}: ${countsText(view.rows)}`, ...speedText(view)].join(", ")

/** A batch with its runners and its failures. */
export const detailsOf = ({ batches, runners }: StatusView): ReadonlyArray<string> =>
  batches.flatMap((view) => [
    lineOf(view),
    ...(openOf(view.rows) === 0 ? [] : [runnersText(runners)]),
    ...view.failures.map((failure) => `  ${failureText(failure)}`)
  ])

/** All batches, a line each. */
export const overviewOf = ({ batches, runners }: StatusView): ReadonlyArray<string> =>
  batches.length === 0 ? [] : [...batches.map(lineOf), runnersText(runners)]
