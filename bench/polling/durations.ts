import { Effect, Random } from "effect"

/** How long something takes, in seconds. */
export interface Distribution {
  readonly sample: Effect.Effect<number>
  readonly survival: (time: number) => number
  /** The integral of the square root of the hazard up to each step of the grid. */
  readonly integratedSqrtHazard: Float64Array
}

/** The grid on which integrals are taken, in seconds. */
export const step = 0.005
const end = 400

const distribution = (sample: Effect.Effect<number>, survival: (time: number) => number): Distribution => {
  const integratedSqrtHazard = new Float64Array(end / step + 1)
  for (let i = 1; i < integratedSqrtHazard.length; i++) {
    const before = survival((i - 1) * step)
    const after = survival(i * step)
    // Where hardly anything is left, the hazard would be a matter of the seventh digit: there it stays as it was.
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

// Abramowitz and Stegun 26.2.17, right to seven digits.
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

/** What one generation draws its times from. */
export interface Times {
  readonly queue?: Distribution
  readonly drawing: Distribution
}

export interface Case {
  readonly name: string
  /** The times of each generation; `progress` runs from 0 to 1. */
  readonly times: (progress: number) => Times
  /** Whether they change on the way. */
  readonly shifts: boolean
}

const steady = (name: string, times: Times): Case => ({ name, times: () => times, shifts: false })

const shifting = (name: string, before: Distribution, after: Distribution): Case => ({
  name,
  times: (progress) => ({ drawing: progress < 0.5 ? before : after }),
  shifts: true
})

const medians = [4, 10, 20]
const sigmas = [0.3, 0.5]

export const lognormalCases = sigmas.flatMap((sigma) =>
  medians.map((median) => ({
    sigma,
    ...steady(`lognormal, median ${String(median)} s, sigma ${String(sigma)}`, { drawing: lognormal(median, sigma) })
  }))
)

export const otherCases: ReadonlyArray<Case> = [
  steady("bimodal, half 4 s, half 20 s", { drawing: mixture(0.5, lognormal(4, 0.3), lognormal(20, 0.3)) }),
  steady("bimodal, nine of ten 4 s, one 20 s", { drawing: mixture(0.9, lognormal(4, 0.3), lognormal(20, 0.3)) }),
  shifting("shift from 4 s to 20 s", lognormal(4, 0.3), lognormal(20, 0.3)),
  shifting("shift from 20 s to 4 s", lognormal(20, 0.3), lognormal(4, 0.3)),
  steady("queue of about 6 s before 10 s", { queue: lognormal(6, 0.6), drawing: lognormal(10, 0.3) })
]

const integral = (survival: (time: number) => number, term: (from: number, to: number) => number): number => {
  let total = 0
  for (let time = 0; time < end; time += step) total += term(survival(time), survival(time + step))
  return total
}

/** What lag times polls comes to at best, `(∫ √(f S))² / 2`, and with a fixed pause, `E[T] / 2`, however short it is. */
export const limits = ({ survival }: Distribution): { readonly best: number; readonly fixed: number } => ({
  best: integral(survival, (from, to) => Math.sqrt(Math.max(0, (from - to) * step * ((from + to) / 2)))) ** 2 / 2,
  fixed: integral(survival, (from, to) => (step * (from + to)) / 2) / 2
})
