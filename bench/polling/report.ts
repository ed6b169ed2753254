import { table } from "../table.js"
import type { Measures } from "./measure.js"

interface Row {
  readonly policy: string
  readonly measures: Measures
}

export interface CaseReport {
  readonly name: string
  readonly rows: ReadonlyArray<Row>
  /** The lowest possible ratio of lag times polls to that of a fixed pause. */
  readonly limit?: number
}

export interface Target {
  readonly case: string
  readonly when: string
  readonly reached: number
  readonly most: number
  /** Lag times all polls, relative to a fixed pause of 0.5, 1 and 2 seconds. */
  readonly ofEach: ReadonlyArray<number>
}

const decimals = (value: number) => value.toFixed(2)

const caseTable = ({ limit, name, rows }: CaseReport): string => {
  const known = limit === undefined ? "" : `\n\nWith many polls, the lowest possible ratio is ${decimals(limit)}.`
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
    ["Case", "When", "Of fixed", "At most", "Of 0.5 s", "Of 1 s", "Of 2 s", "Met"],
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

**Lag** is the time from the end of a generation to the poll that notices it. **Polls** counts every status request,
including the one right after the submission. **Of fixed** is the ratio of lag × polls to that of a fixed pause with the same
number of polls: a pause of \`d\` has a mean lag of \`d / 2\` and takes \`E[T] / d + 1.5\` polls for the same generations. Since the
number of polls is equal, the ratio is also the ratio of the lags. "adaptive 20" is the default,
\`Polling.adaptive({ lagCost: 20 })\`; "oracle 20" follows the same rule and knows the distribution of the durations.
[The theory of adaptive polling](../../docs/adaptive-polling.md) derives the rule and its limit.

![Mean lag over polls per generation](trade-off.svg)

## Targets

The default schedule must stay below these ratios. The theoretical limit is 0.51 for a sigma of 0.3 and 0.73 for 0.5; the
target allows 15% more. The target of every other row is 1.10. The columns for 0.5, 1 and 2 s compare lag × polls with those pauses, however many polls they take. The
limit holds for many polls. With few polls, the extra half poll of a fixed pause matters more, so a ratio can fall slightly
below the limit.

${targetTable(targets)}

## All policies

After the first 30 generations of each program. Where durations change halfway, over the whole program.

${cases.map(caseTable).join("\n\n")}
`
