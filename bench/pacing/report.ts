import { table } from "../table.js"
import type { Limit } from "../../test/support/limitedService.js"

/** The means of all runs of a case. Shares are between 0 and 1, lags are seconds. */
export interface Row {
  readonly limit: Limit
  readonly count: number
  readonly requests: number
  readonly refused: number
  /** The share of refused requests after the first 20. */
  readonly laterRefused: number
  readonly failed: number
  readonly lag: number
  readonly oracleLag: number
  /** The lag of a client that is told the limit, where it was measured. */
  readonly toldLag?: number
}

/** What the library did before it learned rates, measured in the same way. */
export type Before = Pick<Row, "laterRefused" | "failed" | "lag">

const mostRefused = 0.1
const mostLag = 1.3

/** With few generations, the lag depends on how soon a poll notices an end, which the oracle knows. */
const comparedLag = ({ oracleLag, toldLag }: Row): number => toldLag ?? oracleLag

export const isMet = (row: Row): boolean =>
  row.failed === 0 && row.laterRefused <= mostRefused && row.lag <= mostLag * comparedLag(row)

const percent = (share: number) => `${(100 * share).toFixed(1)}%`
const seconds = (value: number) => value.toFixed(1)
const ratio = (value: number) => value.toFixed(2)

const nameOf = ({ count, limit }: Row) =>
  `${String(count)}, ${limit.kind}, ${limit.retryAfter ? "Retry-After" : "no Retry-After"}`

const targetTable = (rows: ReadonlyArray<Row>) =>
  table(
    [
      "Generations, limit",
      "Refused after 20",
      "At most",
      "Failed",
      "At most",
      "Lag ratio",
      "At most",
      "Compared with",
      "Met"
    ],
    rows.map((row) => [
      nameOf(row),
      percent(row.laterRefused),
      percent(mostRefused),
      row.failed.toFixed(0),
      "0",
      ratio(row.lag / comparedLag(row)),
      ratio(mostLag),
      row.toldLag === undefined ? "oracle" : "told client",
      isMet(row) ? "yes" : "no"
    ])
  )

const caseTable = (rows: ReadonlyArray<Row>) =>
  table(
    [
      "Generations, limit",
      "Requests",
      "Refused",
      "Lag, s",
      "Oracle's lag, s",
      "Ratio",
      "Told client's lag, s",
      "Ratio"
    ],
    rows.map((row) => [
      nameOf(row),
      row.requests.toFixed(0),
      percent(row.refused),
      seconds(row.lag),
      seconds(row.oracleLag),
      ratio(row.lag / row.oracleLag),
      row.toldLag === undefined ? "" : seconds(row.toldLag),
      row.toldLag === undefined ? "" : ratio(row.lag / row.toldLag)
    ])
  )

const beforeTable = (rows: ReadonlyArray<Row>, before: ReadonlyArray<Before>) =>
  table(
    ["Generations, limit", "Refused after 20", "Before", "Failed", "Before", "Lag, s", "Before"],
    rows.map((row, index) => {
      const earlier = before[index]
      return [
        nameOf(row),
        percent(row.laterRefused),
        earlier === undefined ? "" : percent(earlier.laterRefused),
        row.failed.toFixed(1),
        earlier === undefined ? "" : earlier.failed.toFixed(1),
        seconds(row.lag),
        earlier === undefined ? "" : seconds(earlier.lag)
      ]
    })
  )

export const markdown = (rows: ReadonlyArray<Row>, before: ReadonlyArray<Before>, runs: number): string =>
  `# Rate limits

\`npm run bench:pacing\` writes this page.

Generations start at the same time through \`Arta.generateAll\`, in virtual time, against a service that accepts one request a
second per token: with a token bucket that holds one token, or with a sliding window; with \`Retry-After\` or without. Submissions
and polls both count. A generation waits in the queue for 2 seconds and then takes 10 seconds. A request and its response take
25 to 75 ms each. The figures are means of ${String(runs)} runs with fixed seeds, so they are the same on every machine. The program
has not learned anything before: neither the limit, nor how long generations take.

**Lag** is the time from the start until the program has the images, without the 12 seconds that the generation takes. It
contains the wait before the submission. Generations that failed have no lag.

**The oracle** knows the limit and when each generation ends. It sends a request whenever the limit allows one: first all
submissions, then one poll for each generation, in the order in which they end.

**The told client** is effect-arta over an HTTP client that spaces all requests by the limit, so that none is refused. It does
not know when generations end. With 4 generations, most of the lag is the time until a poll notices an end, so the target
compares these cases with the told client. With 20 and 60 generations, all have ended before their first poll.

[Rate limits](../../docs/polling.md#rate-limits) describes the rules.

## Targets

${targetTable(rows)}

The first 32 submissions of 60 leave before the first response. 12 of them count as refused after the first 20 requests. If
every response takes exactly as long, one more leaves before the first refusal arrives, and 10.5% are refused.

Both kinds of limit give the same figures, because the bucket holds one token.

## All cases

${caseTable(rows)}

## Before

Each generation used to back off on its own. The same runs gave these figures.

${beforeTable(rows, before)}
`
