import { Effect, Random } from "effect"

/** A distribution of durations in seconds. */
export interface Distribution {
  readonly sample: Effect.Effect<number>
  readonly survival: (time: number) => number
  /** The integral of the square root of the hazard, from 0 to each grid point. */
  readonly integratedSqrtHazard: Float64Array
}

/** The step of the integration grid in seconds. */
export const step = 0.005
const end = 400

const distribution = (sample: Effect.Effect<number>, survival: (time: number) => number): Distribution => {
  const integratedSqrtHazard = new Float64Array(end / step + 1)
  for (let i = 1; i < integratedSqrtHazard.length; i++) {
    const before = survival((i - 1) * step)
    const after = survival(i * step)
    // Below 1e-5, the error of `normalTail` dominates the hazard, so repeat its last reliable value.
    integratedSqrtHazard[i] =
      (integratedSqrtHazard[i - 1] ?? 0) +
      (after > 1e-5
        ? Math.sqrt(Math.max(0, Math.log(before / after)) * step)
        : (integratedSqrtHazard[i - 1] ?? 0) - (integratedSqrtHazard[i - 2] ?? 0))
  }
  return { sample, survival, integratedSqrtHazard }
}

const standardNormal = Effect.zipWith(
  Random.next,
  Random.next,
  (u, v) => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)
)

// Abramowitz and Stegun 26.2.17, with an absolute error below 7.5e-8.
const normalTail = (z: number): number => {
  if (z < 0) return 1 - normalTail(-z)
  const t = 1 / (1 + 0.2316419 * z)
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial
}

export const lognormal = (median: number, sigma: number): Distribution =>
  distribution(
    Effect.map(standardNormal, (z) => median * Math.exp(sigma * z)),
    (time) => (time <= 0 ? 1 : normalTail(Math.log(time / median) / sigma))
  )

const mixture = (share: number, one: Distribution, other: Distribution): Distribution =>
  distribution(
    Effect.flatMap(Random.next, (u) => (u < share ? one : other).sample),
    (time) => share * one.survival(time) + (1 - share) * other.survival(time)
  )

/** The distributions of the stages of one generation. */
export interface StageDistributions {
  readonly queue?: Distribution
  readonly generating: Distribution
}

export interface Case {
  readonly name: string
  /** The distributions at a point of the program. `progress` runs from 0 to 1. */
  readonly stages: (progress: number) => StageDistributions
  /** Whether the distributions change during the program. */
  readonly shifts: boolean
}

const steady = (name: string, stages: StageDistributions): Case => ({ name, stages: () => stages, shifts: false })

const shifting = (name: string, before: Distribution, after: Distribution): Case => ({
  name,
  stages: (progress) => ({ generating: progress < 0.5 ? before : after }),
  shifts: true
})

const medians = [4, 10, 20]
const sigmas = [0.3, 0.5]

export const lognormalCases = sigmas.flatMap((sigma) =>
  medians.map((median) => ({
    sigma,
    ...steady(`lognormal, median ${String(median)} s, sigma ${String(sigma)}`, { generating: lognormal(median, sigma) })
  }))
)

export const otherCases: ReadonlyArray<Case> = [
  steady("bimodal, half 4 s, half 20 s", { generating: mixture(0.5, lognormal(4, 0.3), lognormal(20, 0.3)) }),
  steady("bimodal, 90% 4 s, 10% 20 s", { generating: mixture(0.9, lognormal(4, 0.3), lognormal(20, 0.3)) }),
  shifting("shift from 4 s to 20 s", lognormal(4, 0.3), lognormal(20, 0.3)),
  shifting("shift from 20 s to 4 s", lognormal(20, 0.3), lognormal(4, 0.3)),
  steady("queue of about 6 s before 10 s", { queue: lognormal(6, 0.6), generating: lognormal(10, 0.3) })
]

const integral = (survival: (time: number) => number, term: (from: number, to: number) => number): number => {
  let total = 0
  for (let time = 0; time < end; time += step) total += term(survival(time), survival(time + step))
  return total
}

/**
 * The limits of lag × polls: `best` is `(∫ √(f S))² / 2`, the minimum of any policy, and `fixed` is `E[T] / 2`, the limit of a
 * fixed pause as the pause gets shorter.
 */
export const limits = ({ survival }: Distribution): { readonly best: number; readonly fixed: number } => ({
  best: integral(survival, (from, to) => Math.sqrt(Math.max(0, (from - to) * step * ((from + to) / 2)))) ** 2 / 2,
  fixed: integral(survival, (from, to) => (step * (from + to)) / 2) / 2
})
