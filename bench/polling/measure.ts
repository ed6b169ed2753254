import type { Result } from "./simulate.js"

export interface Measures {
  readonly duration: number
  readonly lag: number
  readonly lag95: number
  readonly polls: number
  readonly product: number
  /** The lag as a share of that with the fixed pause that takes as many polls. */
  readonly ofFixed: number
}

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * The lag with the fixed pause `d` that takes as many polls of the same generations. On average it is `d / 2`, and there
 * are `E[T] / d + 1/2` polls beside the one right after the submission.
 */
const fixedLag = (duration: number, polls: number): number => duration / (polls - 1.5) / 2

/** Lag times polls with a pause of that length. */
export const fixedProduct = (duration: number, pause: number): number => (pause / 2) * (duration / pause + 1.5)

export const measure = (results: ReadonlyArray<Result>): Measures => {
  const lags = results.map(({ lag }) => lag).toSorted((a, b) => a - b)
  const lag = mean(lags)
  const polls = mean(results.map((result) => result.polls))
  const duration = mean(results.map((result) => result.duration))
  const fixed = fixedLag(duration, polls)
  return {
    duration,
    lag,
    lag95: lags[Math.floor(lags.length * 0.95)] ?? 0,
    polls,
    product: lag * polls,
    ofFixed: lag / fixed
  }
}
