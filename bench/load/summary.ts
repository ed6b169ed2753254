import type { Run } from "./run.js"

/** The measurements of a contender in one or more runs, per generation unless noted. */
export interface Summary {
  readonly runs: number
  /** Milliseconds of processor time. */
  readonly cpu: number
  readonly requests: number
  /** The mean lag in milliseconds. */
  readonly lag: number
  /** The 95th percentile of the lag in milliseconds. */
  readonly lag95: number
  /** Seconds from the first request to the last image. */
  readonly total: number
  /** The peak memory of the whole process in megabytes. */
  readonly peak: number
  readonly signUps: number
  readonly failures: number
  /** The number of generations that returned no image, even if the client reported no failure. */
  readonly lost: number
}

/** The summary of each contender of a case. */
export type Summaries = ReadonlyMap<string, Summary>

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length

const quantile = (share: number, values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN

export const summarize = (generations: number, { counts, ...usage }: Run): Summary => ({
  runs: 1,
  cpu: usage.cpuMillis / generations,
  requests: counts.requests / generations,
  lag: mean(usage.lags),
  lag95: quantile(0.95, usage.lags),
  total: usage.millis / 1_000,
  peak: usage.peakBytes / 1e6,
  signUps: counts.signUps,
  failures: usage.failures.length,
  lost: generations - usage.lags.length
})

const median = (values: ReadonlyArray<number>): number => quantile(0.5, values)

/** The median of each measurement, but the worst count: a median would hide that one run lost generations. */
export const combine = (runs: ReadonlyArray<Summary>): Summary => {
  const middle = (measure: keyof Summary) => median(runs.map((run) => run[measure]))
  const most = (measure: keyof Summary) => Math.max(...runs.map((run) => run[measure]))
  return {
    runs: runs.length,
    cpu: middle("cpu"),
    requests: middle("requests"),
    lag: middle("lag"),
    lag95: middle("lag95"),
    total: middle("total"),
    peak: middle("peak"),
    signUps: most("signUps"),
    failures: most("failures"),
    lost: most("lost")
  }
}

export const find = <A>(measured: ReadonlyMap<string, A>, contender: string): A => {
  const found = measured.get(contender)
  if (found === undefined) throw new Error(`${contender} did not run`)
  return found
}

/** A measurement relative to the loop over `fetch`. */
export const relative = (summaries: Summaries, contender: string, measure: "cpu" | "peak"): number =>
  find(summaries, contender)[measure] / find(summaries, "fetch")[measure]
