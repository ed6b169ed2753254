/**
 * The distribution of a stage's durations, and when a poll is worth its cost. All times are seconds since the stage
 * began. `docs/adaptive-polling.md` derives the formulas.
 */
export interface HazardModel {
  readonly prior: Prior
  /** How many generations ended in each time bucket, weighted by recency. */
  readonly seen: Float64Array
  /** The integral of the square root of the hazard, up to each bucket edge. */
  readonly integratedSqrtHazard: Float64Array
}

/** The survival function before any observation: the share of stages that outlasts each bucket edge. */
type Prior = Float64Array

/** A stage ended after `from` and no later than `to`. Polls do not narrow that down further. */
export interface Ending {
  readonly from: number
  readonly to: number
}

// Each bucket is a tenth wider than the previous one, so one grid covers tenths of a second and half an hour.
const bucketCount = 100
const logWidth = 0.1
const firstEdge = 0.1
const edges = Float64Array.from({ length: bucketCount + 1 }, (_, i) =>
  i === 0 ? 0 : firstEdge * Math.exp((i - 1) * logWidth)
)

const edge = (index: number): number => edges[index] ?? Infinity
const width = (index: number): number => edge(index + 1) - edge(index)
const at = (values: Float64Array, index: number): number => values[index] ?? 0

const bucketOf = (time: number): number =>
  time < firstEdge ? 0 : Math.min(bucketCount - 1, 1 + Math.floor(Math.log(time / firstEdge) / logWidth))

// The prior always weighs half a generation, so the model never rules out a duration.
const priorWeight = 0.5

const priorMass = (prior: Prior, bucket: number): number =>
  priorWeight * (at(prior, bucket) - (bucket === bucketCount ? 0 : at(prior, bucket + 1)))

// An observation loses half its weight in 46 generations.
const retention = 0.985
// The prior probability that durations change at any one generation (Adams and MacKay, 2007).
const changeRate = 0.05

// A normal kernel smooths the durations. The bandwidth is its standard deviation in log seconds.
const bandwidth = 0.13
const kernelRadius = Math.ceil((3 * bandwidth) / logWidth)
const gaussian = Array.from({ length: 2 * kernelRadius + 1 }, (_, i) =>
  Math.exp(-(((i - kernelRadius) * logWidth) ** 2) / (2 * bandwidth ** 2))
)
const gaussianSum = gaussian.reduce((sum, weight) => sum + weight, 0)
const kernel = gaussian.map((weight) => weight / gaussianSum)

const integrateSqrtHazard = (survival: Float64Array): Float64Array => {
  const integratedSqrtHazard = new Float64Array(bucketCount + 1)
  for (let i = 0; i < bucketCount; i++) {
    const cumulativeHazard = Math.log(at(survival, i) / at(survival, i + 1))
    integratedSqrtHazard[i + 1] = at(integratedSqrtHazard, i) + Math.sqrt(cumulativeHazard * width(i))
  }
  return integratedSqrtHazard
}

const modelOf = (prior: Prior, seen: Float64Array): HazardModel => {
  const survival = new Float64Array(bucketCount + 1)
  for (let i = bucketCount; i >= 0; i--) {
    survival[i] = at(survival, i + 1) + at(seen, i) + priorMass(prior, i)
  }
  return { prior, seen, integratedSqrtHazard: integrateSqrtHazard(survival) }
}

const noObservations = new Float64Array(bucketCount)

/** A log-logistic prior. Its tail is heavy: nine of ten stages take less than four times the median. */
export const priorModel = (median: number): HazardModel =>
  modelOf(
    edges.map((time) => 1 / (1 + (time / median) ** 1.6)),
    noObservations
  )

/**
 * The prior for a stage that is already running. In a renewal process observed at a random time, the density of the
 * remaining time is the survival function divided by the mean.
 */
export const priorUnderWay = (median: number): HazardModel => {
  const { prior } = priorModel(median)
  const remaining = new Float64Array(bucketCount + 1)
  remaining[bucketCount] = edge(bucketCount) * at(prior, bucketCount)
  for (let i = bucketCount - 1; i >= 0; i--) {
    remaining[i] = at(remaining, i + 1) + (width(i) * (at(prior, i) + at(prior, i + 1))) / 2
  }
  return { prior, seen: noObservations, integratedSqrtHazard: integrateSqrtHazard(remaining) }
}

/**
 * The age at which the next poll is due, if a second of lag costs as much as `lagCost` polls. Between two polls, the
 * integral of the square root of the hazard grows by √(2 / lagCost) (Keller, 1974).
 */
export const nextPoll = ({ integratedSqrtHazard }: HazardModel, age: number, lagCost: number): number => {
  const slope = (index: number) =>
    (at(integratedSqrtHazard, index + 1) - at(integratedSqrtHazard, index)) / width(index)
  const bucket = bucketOf(age)
  const due = at(integratedSqrtHazard, bucket) + slope(bucket) * (age - edge(bucket)) + Math.sqrt(2 / lagCost)

  let last = bucket
  while (last < bucketCount - 1 && at(integratedSqrtHazard, last + 1) < due) last++
  // Past the last edge, this extrapolates the last bucket.
  return edge(last) + (due - at(integratedSqrtHazard, last)) / slope(last)
}

const overlap = (bucket: number, { from, to }: Ending): number =>
  Math.max(0, Math.min(to, edge(bucket + 1)) - Math.max(from, edge(bucket))) / width(bucket)

/**
 * Learns from one more stage. A poll only bounds the end of a stage, so the model spreads that end over the interval in
 * proportion to its own estimate (Turnbull, 1976). The less likely the end was, compared with the prior, the more of
 * the past the model forgets: Bayes' rule for a change at any generation.
 */
export const learnEnding = ({ prior, seen }: HazardModel, ending: Ending): HazardModel => {
  const to = Math.min(ending.to, edge(bucketCount))
  const from = Math.min(ending.from, to)
  const masses: Array<{ readonly bucket: number; readonly mass: number }> = []
  let priorTotal = 0
  let modelTotal = 0
  for (let bucket = bucketOf(from); bucket <= bucketOf(to); bucket++) {
    const share = to > from ? overlap(bucket, { from, to }) : 1
    const mass = share * (at(seen, bucket) + priorMass(prior, bucket))
    priorTotal += share * priorMass(prior, bucket)
    modelTotal += mass
    masses.push({ bucket, mass })
  }

  const totalWeight = priorWeight + seen.reduce((sum, weight) => sum + weight, 0)
  const changed = changeRate * (priorTotal / priorWeight)
  const unchanged = (1 - changeRate) * (modelTotal / totalWeight)
  const retained = (retention * unchanged) / (changed + unchanged)

  const updated = seen.map((weight) => weight * retained)
  for (const { bucket, mass } of masses) {
    for (const [i, weight] of kernel.entries()) {
      const index = Math.min(bucketCount - 1, Math.max(0, bucket + i - kernelRadius))
      updated[index] = at(updated, index) + (weight * mass) / modelTotal
    }
  }
  return modelOf(prior, updated)
}
