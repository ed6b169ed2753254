import { table } from "../table.js"
import type { Case } from "./durations.js"
import { lognormal } from "./durations.js"
import { adaptive, fixed } from "./policies.js"
import type { Result } from "./simulate.js"
import { sampleJobs, simulate } from "./simulate.js"

const lagCost = 20
const roundTrip = 100

/** Median durations in seconds. */
export const medians = [0.5, 1, 3, 10, 30, 180, 420]

/** How many generations a program has learned from, and how much its next one may cost, relative to the best fixed pause. */
const stages = [
  { learned: 0, label: "cold", limit: 1.5 },
  { learned: 1, label: "after 1", limit: 1.2 },
  { learned: 5, label: "after 5", limit: 1 }
] as const

interface Figures {
  /** Polls + lagCost × lag. */
  readonly cost: number
  readonly lagPolls: number
}

export interface StartReport {
  readonly median: number
  /** The fixed pause that costs least, in seconds. */
  readonly pause: number
  readonly best: Figures
  readonly stages: ReadonlyArray<Figures & { readonly label: string; readonly limit: number; readonly ratio: number }>
}

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length

const figures = (results: ReadonlyArray<Result>): Figures => {
  const polls = mean(results.map((result) => result.polls))
  const lag = mean(results.map((result) => result.lag))
  return { cost: polls + lagCost * lag, lagPolls: lag * polls }
}

/** Measures the first generations of many programs, against the best fixed pause for the same generations. */
export const measureStart = async (median: number, programs: number, generations = 6): Promise<StartReport> => {
  const generating = lognormal(median, 0.3)
  const testCase: Case = { name: "start", stages: () => ({ generating }), shifts: false }
  const jobsOf = Array.from({ length: programs }, (_, seed) => sampleJobs(testCase, generations, seed + 1))
  const results = await Promise.all(jobsOf.map((jobs) => simulate(adaptive(lagCost), jobs, roundTrip)))

  const firstJobs = jobsOf.flatMap((jobs) => jobs.slice(0, 1))
  // Without the round trip, √(2 T / lagCost) would cost least.
  const pauses = [0.45, 0.6, 0.75, 0.9, 1, 1.15].map((factor) => factor * Math.sqrt((2 * median) / lagCost))
  const fixedCosts = await Promise.all(
    pauses.map(async (pause) => ({ pause, ...figures(await simulate(fixed(pause), firstJobs, roundTrip)) }))
  )
  const best = fixedCosts.reduce((one, other) => (other.cost < one.cost ? other : one))
  return {
    median,
    pause: best.pause,
    best,
    stages: stages
      .filter(({ learned }) => learned < generations)
      .map(({ label, learned, limit }) => {
        const found = figures(results.flatMap((program) => program.slice(learned, learned + 1)))
        return { label, limit, ...found, ratio: found.cost / best.cost }
      })
  }
}

export const isStartMet = ({ stages }: Pick<StartReport, "stages">): boolean =>
  stages.every(({ limit, ratio }) => ratio <= limit)

const decimals = (value: number) => value.toFixed(2)

export const startTable = (reports: ReadonlyArray<StartReport>): string => {
  const labels = stages.map(({ label }) => label)
  const limits = stages.map(({ label, limit }) => `Ratio ${label} (≤ ${decimals(limit)})`)
  return table(
    ["Median, s", "Best pause, s", "Cost", ...labels.map((label) => `Cost ${label}`), ...limits, "Met"],
    reports.map(({ best, median, pause, stages }) => [
      String(median),
      decimals(pause),
      decimals(best.cost),
      ...stages.map(({ cost }) => decimals(cost)),
      ...stages.map(({ ratio }) => decimals(ratio)),
      isStartMet({ stages }) ? "yes" : "no"
    ])
  )
}

export const lagPollsTable = (reports: ReadonlyArray<StartReport>): string =>
  table(
    ["Median, s", "Best pause", ...stages.map(({ label }) => `Adaptive ${label}`)],
    reports.map(({ best, median, stages }) => [
      String(median),
      decimals(best.lagPolls),
      ...stages.map(({ lagPolls }) => decimals(lagPolls))
    ])
  )
