import { table } from "../table.js"
import type { StartReport } from "./start.js"
import { lagPollsTable, startTable } from "./start.js"
import type { Measures } from "./measure.js"

interface Row {
  readonly policy: string
  readonly measures: Measures
}

export interface CaseReport {
  readonly name: string
  readonly rows: ReadonlyArray<Row>
  /** The lowest possible ratio of lag × polls to that of a fixed pause. */
  readonly limit?: number
}

export interface Target {
  readonly case: string
  /** Which generations count. */
  readonly generations: string
  readonly value: number
  readonly limit: number
  /** The ratios of lag × polls to those of fixed pauses of 0.5, 1 and 2 seconds. */
  readonly relativeToPauses: ReadonlyArray<number>
}

const decimals = (value: number) => value.toFixed(2)

const caseTable = ({ limit, name, rows }: CaseReport): string => {
  const limitNote = limit === undefined ? "" : `\n\nWith many polls, the lowest possible ratio is ${decimals(limit)}.`
  const head = ["Policy", "Mean lag, s", "95th percentile, s", "Polls", "Lag × polls", "Ratio to fixed"]
  const cells = rows.map(({ measures, policy }) => [
    policy,
    ...[measures.lag, measures.lag95, measures.polls, measures.product, measures.relativeToFixed].map(decimals)
  ])
  return `### ${name}${limitNote}\n\n${table(head, cells)}`
}

export const isMet = ({ limit, value }: Target): boolean => value <= limit

const targetTable = (targets: ReadonlyArray<Target>): string =>
  table(
    ["Case", "Generations", "Ratio to fixed", "At most", "To 0.5 s", "To 1 s", "To 2 s", "Met"],
    targets.map((target) => [
      target.case,
      target.generations,
      decimals(target.value),
      decimals(target.limit),
      ...target.relativeToPauses.map(decimals),
      isMet(target) ? "yes" : "no"
    ])
  )

export const markdown = (
  parameters: string,
  targets: ReadonlyArray<Target>,
  starts: ReadonlyArray<StartReport>,
  cases: ReadonlyArray<CaseReport>
): string =>
  `# Polling

\`npm run bench:polling\` writes this page and [the chart](trade-off.svg).

${parameters}

**Lag** is the time from the end of a generation to the poll that notices it. **Polls** counts every status request,
including the first one. **Ratio to fixed** compares lag × polls with that of a fixed pause that takes the
same number of polls: a pause of \`d\` has a mean lag of \`d / 2\` and takes \`E[T] / d + 1.5\` polls for the same generations. Since
the number of polls is equal, this is also the ratio of the lags. "adaptive 20" is the default,
\`Polling.adaptive({ lagCost: 20 })\`; "oracle 20" follows the same rule and knows the distribution of the durations.
[The theory of adaptive polling](../../docs/adaptive-polling.md) derives the rule and its limit.

![Mean lag over polls per generation](trade-off.svg)

## Targets

The default schedule must not exceed these ratios. After the first 30 generations, the theoretical limit is 0.51 for a sigma of
0.3 and 0.73 for 0.5, and the target allows 15% more. The target of every other row is 1.10. The columns for 0.5, 1 and 2 s
compare lag × polls with those pauses, which take a different number of polls. The limit holds for many polls. With few polls,
the extra half poll of a fixed pause matters more, so a ratio can fall slightly below the limit.

${targetTable(targets)}

## The first generations

A program starts cold, or with what one or five generations have taught it. Its **cost** is polls + 20 × lag in seconds. It is
compared with the fixed pause that costs least in hindsight, for the same durations: lognormal, with a sigma of 0.3. Each request
has a round trip of 0.1 s, and the lag ends when the response arrives. The first poll of a fixed pause follows the submission
at once; the default schedule places it. The limits are 1.5 cold, 1.2 after one generation, and 1.0 after five.

${startTable(starts)}

Lag × polls of the same generations:

${lagPollsTable(starts)}

## All policies

The figures leave out the first 30 generations of each program. If durations change halfway, the whole program counts.

${cases.map(caseTable).join("\n\n")}
`
