import { table } from "../table.js"
import type { Measures } from "./measure.js"

interface Row {
  readonly policy: string
  readonly measures: Measures
}

export interface CaseReport {
  readonly name: string
  readonly rows: ReadonlyArray<Row>
  /** What lag times polls can come to at best, as a share of that with a fixed pause. */
  readonly limit?: number
}

export interface Target {
  readonly case: string
  readonly when: string
  readonly reached: number
  readonly most: number
  /** Lag times all polls, as a share of that with a fixed pause of 0.5, 1 and 2 seconds. */
  readonly ofEach: ReadonlyArray<number>
}

const decimals = (value: number) => value.toFixed(2)

const caseTable = ({ limit, name, rows }: CaseReport): string => {
  const known =
    limit === undefined ? "" : `\n\nWith many polls, lag × polls is at best ${decimals(limit)} of fixed polling's.`
  const head = ["Policy", "Mean lag, s", "95th percentile, s", "Polls", "Lag × polls", "Of fixed"]
  const cells = rows.map(({ measures, policy }) => [
    policy,
    ...[measures.lag, measures.lag95, measures.polls, measures.product, measures.ofFixed].map(decimals)
  ])
  return `### ${name}${known}\n\n${table(head, cells)}`
}

export const isReached = ({ most, reached }: Target): boolean => reached <= most

const targetTable = (targets: ReadonlyArray<Target>): string =>
  table(
    ["Case", "When", "Of fixed", "At most", "Of 0.5 s", "Of 1 s", "Of 2 s", "Reached"],
    targets.map((target) => [
      target.case,
      target.when,
      decimals(target.reached),
      decimals(target.most),
      ...target.ofEach.map(decimals),
      isReached(target) ? "yes" : "no"
    ])
  )

export const markdown = (
  parameters: string,
  targets: ReadonlyArray<Target>,
  cases: ReadonlyArray<CaseReport>
): string =>
  `# Polling

\`npm run bench:polling\` writes this page and [the chart](trade-off.svg). ${parameters}

**Lag** is how much later than it was so the program knows that a generation is done. **Polls** are all its status requests,
the one right after the submission included. **Of fixed** compares with the fixed pause that takes as many polls for the
same generations: a pause of \`d\` has a mean lag of \`d / 2\` and takes \`E[T] / d + 1.5\` polls. With as many polls on both
sides, the ratio of lag × polls is that of the lags. "adaptive 20" is the default, \`Polling.adaptive({ lagCost: 20 })\`;
"oracle 20" follows the same rule, but knows what the durations are drawn from.

![Mean lag over polls per generation](trade-off.svg)

## What was to be reached

By the default. The limit is 0.51 for a sigma of 0.3 and 0.73 for 0.5; 15 % more is allowed. The columns of 0.5, 1 and 2 s
compare lag × polls with that of these pauses, however many polls they take. The limit is one of many polls: with few, the half
poll that a fixed pause takes on top weighs more, and the share may fall a little below it.

${targetTable(targets)}

## All policies

After the first 30 generations of each program; where times change half-way, over whole programs.

${cases.map(caseTable).join("\n\n")}
`
