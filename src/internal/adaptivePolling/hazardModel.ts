/** How long a stage takes, as far as is known, and when it is worth a poll. All times are seconds since the stage began. */
export interface HazardModel {
  readonly prior: Prior
  /** How many generations ended in each bucket of time, older ones counting less. */
  readonly seen: Float64Array
  /** The integral of the square root of the hazard, up to each edge between the buckets. */
  readonly integratedSqrtHazard: Float64Array
}

/** What is expected before anything is known: the share of stages that outlasts each edge. */
type Prior = Float64Array

/** A stage was still going on at `from` and over at `to`: no poll tells more. */
export interface Ending {
  readonly from: number
  readonly to: number
}

// Each bucket is a tenth longer than the one before, so that one grid suits tenths of a second and half an hour.
const buckets = 100
const ratio = 0.1
const firstEdge = 0.1
const edges = Float64Array.from({ length: buckets + 1 }, (_, i) =>
  i === 0 ? 0 : firstEdge * Math.exp((i - 1) * ratio)
)

const edge = (index: number): number => edges[index] ?? Infinity
const width = (index: number): number => edge(index + 1) - edge(index)
const at = (values: Float64Array, index: number): number => values[index] ?? 0

const bucketOf = (time: number): number =>
  time < firstEdge ? 0 : Math.min(buckets - 1, 1 + Math.floor(Math.log(time / firstEdge) / ratio))

// The prior keeps the weight of half a generation for good, so that no duration is ever ruled out.
const priorWeight = 0.5

const priorMass = (prior: Prior, bucket: number): number =>
  priorWeight * (at(prior, bucket) - (bucket === buckets ? 0 : at(prior, bucket + 1)))

// A generation counts half as much as one 46 generations later.
const retention = 0.985
// How often durations change for good, taken once in so many generations.
const changeRate = 0.05

// Durations are smoothed by a normal kernel of this standard deviation in their logarithm.
const bandwidth = 0.13
const reach = Math.ceil((3 * bandwidth) / ratio)
const bell = Array.from({ length: 2 * reach + 1 }, (_, i) =>
  Math.exp(-(((i - reach) * ratio) ** 2) / (2 * bandwidth ** 2))
)
const bellTotal = bell.reduce((sum, height) => sum + height, 0)
const kernel = bell.map((height) => height / bellTotal)

const integrateSqrtHazard = (survival: Float64Array): Float64Array => {
  const integratedSqrtHazard = new Float64Array(buckets + 1)
  for (let i = 0; i < buckets; i++) {
    const cumulativeHazard = Math.log(at(survival, i) / at(survival, i + 1))
    integratedSqrtHazard[i + 1] = at(integratedSqrtHazard, i) + Math.sqrt(cumulativeHazard * width(i))
  }
  return integratedSqrtHazard
}

const modelOf = (prior: Prior, seen: Float64Array): HazardModel => {
  const survival = new Float64Array(buckets + 1)
  for (let i = buckets; i >= 0; i--) {
    survival[i] = at(survival, i + 1) + at(seen, i) + priorMass(prior, i)
  }
  return { prior, seen, integratedSqrtHazard: integrateSqrtHazard(survival) }
}

const nothing = new Float64Array(buckets)

/** A log-logistic distribution, for its heavy tail: nine of ten stages take less than four times the median. */
export const priorModel = (median: number): HazardModel =>
  modelOf(
    edges.map((time) => 1 / (1 + (time / median) ** 1.6)),
    nothing
  )

/**
 * The same for a stage that was found under way. What is left of it then has the survival function divided by its mean
 * for its density, as in any renewal process that is looked at at a random time.
 */
export const priorUnderWay = (median: number): HazardModel => {
  const { prior } = priorModel(median)
  const left = new Float64Array(buckets + 1)
  left[buckets] = edge(buckets) * at(prior, buckets)
  for (let i = buckets - 1; i >= 0; i--) {
    left[i] = at(left, i + 1) + (width(i) * (at(prior, i) + at(prior, i + 1))) / 2
  }
  return { prior, seen: nothing, integratedSqrtHazard: integrateSqrtHazard(left) }
}

/** The age at which the next poll is due, where a second of lag costs as much as `lagCost` polls. */
export const nextPoll = ({ integratedSqrtHazard }: HazardModel, age: number, lagCost: number): number => {
  const bucket = bucketOf(age)
  const share = (age - edge(bucket)) / width(bucket)
  const due =
    at(integratedSqrtHazard, bucket) +
    share * (at(integratedSqrtHazard, bucket + 1) - at(integratedSqrtHazard, bucket)) +
    Math.sqrt(2 / lagCost)

  let low = bucket
  let high = buckets - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (at(integratedSqrtHazard, middle + 1) < due) low = middle + 1
    else high = middle
  }
  // Past the last edge, the last bucket goes on: its share is then more than one.
  return (
    edge(low) +
    (width(low) * (due - at(integratedSqrtHazard, low))) /
      (at(integratedSqrtHazard, low + 1) - at(integratedSqrtHazard, low))
  )
}

const shareOf = (bucket: number, { from, to }: Ending): number =>
  Math.max(0, Math.min(to, edge(bucket + 1)) - Math.max(from, edge(bucket))) / width(bucket)

/**
 * Learns from one more stage. A poll only bounds its end, so the model spreads that end over the interval as it expects
 * it. The less likely the model found it, compared with the prior, the more of the past it forgets.
 */
export const observe = ({ prior, seen }: HazardModel, ending: Ending): HazardModel => {
  const to = Math.min(ending.to, edge(buckets))
  const from = Math.min(ending.from, to)
  const masses: Array<{ readonly bucket: number; readonly mass: number }> = []
  let unprejudiced = 0
  let expected = 0
  for (let bucket = bucketOf(from); bucket <= bucketOf(to); bucket++) {
    const share = to > from ? shareOf(bucket, { from, to }) : 1
    const mass = share * (at(seen, bucket) + priorMass(prior, bucket))
    unprejudiced += share * priorMass(prior, bucket)
    expected += mass
    masses.push({ bucket, mass })
  }

  const total = priorWeight + seen.reduce((sum, weight) => sum + weight, 0)
  const changed = changeRate * (unprejudiced / priorWeight)
  const unchanged = (1 - changeRate) * (expected / total)
  const kept = (retention * unchanged) / (changed + unchanged)

  const learned = seen.map((weight) => weight * kept)
  for (const { bucket, mass } of masses) {
    for (const [i, weight] of kernel.entries()) {
      const index = Math.min(buckets - 1, Math.max(0, bucket + i - reach))
      learned[index] = at(learned, index) + (weight * mass) / expected
    }
  }
  return modelOf(prior, learned)
}
