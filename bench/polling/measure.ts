import type { Result } from "./simulate.js"

export interface Measures {
  /** The mean duration of a generation in seconds. */
  readonly duration: number
  /** The mean lag in seconds. */
  readonly lag: number
  /** The 95th percentile of the lag in seconds. */
  readonly lag95: number
  /** The mean number of polls per generation. */
  readonly polls: number
  /** Lag × polls. */
  readonly product: number
  /** The ratio of the lag to the lag of a fixed pause with the same number of polls. */
  readonly relativeToFixed: number
}

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * The mean lag of a fixed pause with the same number of polls. A pause `d` has a mean lag of `d / 2` and takes `E[T] / d + 1.5`
 * polls, including the one right after the submission.
 */
const fixedLag = (duration: number, polls: number): number => duration / (polls - 1.5) / 2

/** Lag × polls of a fixed pause. */
export const fixedProduct = (duration: number, pause: number): number => (pause / 2) * (duration / pause + 1.5)

export const measure = (results: ReadonlyArray<Result>): Measures => {
  const lags = results.map(({ lag }) => lag).toSorted((a, b) => a - b)
  const lag = mean(lags)
  const polls = mean(results.map((result) => result.polls))
  const duration = mean(results.map((result) => result.duration))
  return {
    duration,
    lag,
    lag95: lags[Math.floor(lags.length * 0.95)] ?? 0,
    polls,
    product: lag * polls,
    relativeToFixed: lag / fixedLag(duration, polls)
  }
}
