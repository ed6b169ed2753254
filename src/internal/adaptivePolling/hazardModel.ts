import { weaklyKeyed } from "../weaklyKeyed.js"

/**
 * The distribution of a stage's durations, and when a poll is worth its cost. All times are seconds since the stage
 * began. `docs/adaptive-polling.md` derives the formulas.
 */
export interface HazardModel {
  /** The mass of each time bucket before any observation. The last one is the mass beyond the last edge. */
  readonly prior: Float64Array
  /** How many generations ended in each time bucket, weighted by recency. */
  readonly seen: Float64Array
}

/** A stage ended after `from` and no later than `to`. Polls do not narrow that down further. */
export interface Ending {
  readonly from: number
  readonly to: number
}

// Each bucket is a tenth wider than the previous one, so one grid covers tenths of a second and half an hour.
export const bucketCount = 100
const edges = Float64Array.from({ length: bucketCount + 1 }, (_, i) => (i === 0 ? 0 : 0.1 * Math.exp((i - 1) * 0.1)))

const edge = (index: number): number => at(edges, index)
const width = (index: number): number => edge(index + 1) - edge(index)
const at = (values: Float64Array, index: number): number => values[index] ?? 0

/** The bucket of a value, by an increasing function that has these values at the bucket edges. */
const bucketOf = (value: number, values: Float64Array = edges): number => {
  let low = 0
  for (let high = bucketCount; high - low > 1;) {
    const middle = (low + high) >> 1
    if (at(values, middle) <= value) low = middle
    else high = middle
  }
  return low
}

// The prior always weighs half a generation, so the model never rules out a duration.
const priorWeight = 0.5

// An observation loses half its weight in 46 generations.
const retention = 0.985
// The prior probability that durations change at any one generation (Adams and MacKay, 2007).
const changeRate = 0.08

// Binomial weights smooth the durations, like a normal kernel with a standard deviation of 0.12 log seconds.
const kernel = [1, 6, 15, 20, 15, 6, 1].map((weight) => weight / 64)
const kernelRadius = 3

/** The mass of some time buckets. */
type Masses = ReadonlyMap<number, number>

/** Four passes double the standard deviation of one. */
const smooth = (masses: Masses): Masses => {
  const smoothed = new Map<number, number>()
  for (const [bucket, mass] of masses) {
    kernel.forEach((weight, i) => {
      const index = Math.min(bucketCount - 1, Math.max(0, bucket + i - kernelRadius))
      smoothed.set(index, (smoothed.get(index) ?? 0) + weight * mass)
    })
  }
  return smoothed
}

/**
 * The integral of the square root of the hazard, up to each bucket edge. Computed for the first poll that needs it: of
 * many generations that end at once, each replaces the model.
 */
const integratedSqrtHazardOf = weaklyKeyed(({ prior, seen }: HazardModel): Float64Array => {
  const survival = prior.slice()
  for (let i = bucketCount; i >= 0; i--) survival[i] = at(prior, i) + at(seen, i) + at(survival, i + 1)

  const integratedSqrtHazard = new Float64Array(bucketCount + 1)
  for (let i = 0; i < bucketCount; i++) {
    const cumulativeHazard = Math.log(at(survival, i) / at(survival, i + 1))
    integratedSqrtHazard[i + 1] = at(integratedSqrtHazard, i) + Math.sqrt(cumulativeHazard * width(i))
  }
  return integratedSqrtHazard
})

// A stage takes longer than `t` with a probability of √(0.1 / (0.1 + t)): it may take any time, of any magnitude.
const survivalAt = (index: number): number => (index > bucketCount ? 0 : Math.sqrt(0.1 / (0.1 + edge(index))))

/** What is expected of a stage before any observation. */
export const priorModel: HazardModel = {
  prior: Float64Array.from(edges, (_, bucket) => priorWeight * (survivalAt(bucket) - survivalAt(bucket + 1))),
  seen: new Float64Array(bucketCount)
}

/** What is expected of a stage after observations of an earlier process. */
export const restoredModel = (seen: Float64Array): HazardModel => ({ ...priorModel, seen })

/**
 * The age at which the next poll is due, if a second of lag costs as much as `lagCost` polls. Between two polls, the
 * integral of the square root of the hazard grows by √(2 / lagCost) (Keller, 1974).
 */
export const nextPoll = (model: HazardModel, age: number, lagCost: number): number => {
  const integratedSqrtHazard = integratedSqrtHazardOf(model)
  const slope = (index: number) =>
    (at(integratedSqrtHazard, index + 1) - at(integratedSqrtHazard, index)) / width(index)
  const bucket = bucketOf(age)
  const due = at(integratedSqrtHazard, bucket) + slope(bucket) * (age - edge(bucket)) + Math.sqrt(2 / lagCost)

  const last = bucketOf(due, integratedSqrtHazard)
  // Past the last edge, this extrapolates the last bucket.
  return edge(last) + (due - at(integratedSqrtHazard, last)) / slope(last)
}

/**
 * Learns from one more stage. A poll only bounds the end of a stage, so the model spreads that end over the interval in
 * proportion to its own estimate (Turnbull, 1976). The less likely the end was, compared with the prior, the more of
 * the past the model forgets: Bayes' rule for a change at any generation.
 */
export const learnEnding = ({ prior, seen }: HazardModel, ending: Ending): HazardModel => {
  const to = Math.min(ending.to, edge(bucketCount))
  const from = Math.min(ending.from, to)
  const masses = new Map<number, number>()
  let priorTotal = 0
  let modelTotal = 0
  for (let bucket = bucketOf(from); bucket <= bucketOf(to); bucket++) {
    const overlap = Math.min(to, edge(bucket + 1)) - Math.max(from, edge(bucket))
    // A duration that is known exactly is a point, which overlaps nothing.
    const share = to > from ? overlap / width(bucket) : 1
    const mass = share * (at(seen, bucket) + at(prior, bucket))
    priorTotal += share * at(prior, bucket)
    modelTotal += mass
    masses.set(bucket, mass)
  }

  const totalWeight = priorWeight + seen.reduce((sum, weight) => sum + weight, 0)
  const changed = changeRate * (priorTotal / priorWeight)
  const unchanged = (1 - changeRate) * (modelTotal / totalWeight)
  const retained = (retention * unchanged) / (changed + unchanged)

  // A single duration says little about the spread of the others.
  const isFirst = retained * (totalWeight - priorWeight) < priorWeight
  const once = smooth(masses)
  const smoothed = isFirst ? smooth(smooth(smooth(once))) : once
  return { prior, seen: seen.map((weight, bucket) => weight * retained + (smoothed.get(bucket) ?? 0) / modelTotal) }
}
