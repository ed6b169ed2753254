import { table } from "../table.js"
import type { Run } from "./run.js"

/** What one contender took, per generation. */
export interface Summary {
  readonly name: string
  /** Milliseconds of processor time. */
  readonly cpu: number
  readonly requests: number
  /** Milliseconds. */
  readonly lag: number
  readonly lag95: number
  /** Seconds from the first request to the last image. */
  readonly whole: number
  /** Megabytes, of the whole process. */
  readonly peak: number
  readonly signUps: number
  readonly failures: number
  /** How many generations brought no image, whether or not that was told. */
  readonly lost: number
}

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length

const at = (share: number, values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN

export const summarize = (name: string, generations: number, { counts, ...usage }: Run): Summary => ({
  name,
  cpu: usage.cpuMillis / generations,
  requests: counts.requests / generations,
  lag: mean(usage.lags),
  lag95: at(0.95, usage.lags),
  whole: usage.millis / 1_000,
  peak: usage.peakBytes / 1e6,
  signUps: counts.signUps,
  failures: usage.failures.length,
  lost: generations - usage.lags.length
})

/** The run in the middle by processor time, all of its figures: medians of each would belong to no run. */
export const median = (summaries: ReadonlyArray<Summary>): Summary => {
  const sorted = [...summaries].sort((a, b) => a.cpu - b.cpu)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error("there was no run")
  return middle
}

export interface Target {
  readonly name: string
  readonly value: number
  readonly most: number
}

export const isReached = ({ most, value }: Target): boolean => value <= most

const named = (summaries: ReadonlyArray<Summary>, name: string): Summary => {
  const found = summaries.find((summary) => summary.name === name)
  if (found === undefined) throw new Error(`${name} did not run`)
  return found
}

export const targetsOf = (atFew: ReadonlyArray<Summary>, atMany: ReadonlyArray<Summary>): ReadonlyArray<Target> => {
  const [arta, loop, crowd] = [named(atFew, "arta"), named(atFew, "fetch"), named(atMany, "arta")]
  return [
    { name: "1,000: processor time, of the fetch loop's", value: arta.cpu / loop.cpu, most: 1 },
    { name: "1,000: peak memory, of the fetch loop's", value: arta.peak / loop.peak, most: 1.2 },
    { name: "10,000: lost", value: crowd.lost, most: 0 },
    { name: "10,000: sign-ups", value: crowd.signUps, most: 1 },
    { name: "10,000: peak memory, GB", value: crowd.peak / 1_000, most: 1 },
    { name: "10,000: mean lag, of that at 1,000", value: crowd.lag / arta.lag, most: 1.5 }
  ]
}

const titles: Readonly<Record<string, string>> = {
  arta: "effect-arta",
  fetch: "loop over fetch",
  undici: "loop over undici",
  effect: "loop in Effect",
  replicate: "replicate",
  fal: "@fal-ai/client"
}

const contest = (summaries: ReadonlyArray<Summary>): string => {
  const loop = named(summaries, "fetch")
  return table(
    [
      "Client",
      "Processor",
      "Memory",
      "Requests",
      "Mean lag, s",
      "95th percentile, s",
      "All, s",
      "Sign-ups",
      "Failures"
    ],
    summaries.map((each) => [
      titles[each.name] ?? each.name,
      (each.cpu / loop.cpu).toFixed(2),
      (each.peak / loop.peak).toFixed(2),
      each.requests.toFixed(1),
      (each.lag / 1_000).toFixed(2),
      (each.lag95 / 1_000).toFixed(2),
      each.whole.toFixed(1),
      String(each.signUps),
      String(each.failures)
    ])
  )
}

export interface Results {
  readonly machine: string
  readonly few: number
  readonly many: number
  readonly rounds: number
  readonly atFew: ReadonlyArray<Summary>
  readonly atMany: ReadonlyArray<Summary>
  readonly targets: ReadonlyArray<Target>
}

const count = (value: number) => value.toLocaleString("en")

export const markdown = ({ atFew, atMany, few, machine, many, rounds, targets }: Results): string => `# Load

\`npm run bench:load\` writes this page. One process runs many generations at once, all started in the same moment, against a
server in another; each client runs alone, one after the other, in a new process against a new server. A generation waits for
1 s and is drawn for 2 s. This page was written on a machine with ${machine}. Only the ratios within one table mean anything.

**Processor** is the time of all threads of the client's process from the end of its imports to its last image, and
**memory** the most that the process ever held, its imports included; both as a share of the fetch loop's. **Requests** are
those of one generation, its share of the sign-up included. **Lag** is how much later than it was the client knows that a
image is done: no client on a busy machine is as soon as its pauses say. **All** is the time until the last image is known.

The loops are what one writes in a quarter of an hour: they sign up once, ask every 500 ms, and neither try again nor have a time
limit. The one in Effect, over the HTTP client of \`@effect/platform\` and undici, shows what effect-arta stands on. The packages
run at their defaults, on the routes that they expect; \`replicate\` would rather wait on a request that the server holds back,
but this service holds none back, so it polls. effect-arta runs from its built files, over undici, with its defaults. It
submits 32 generations at a time, where the others submit all in the same moment: so it is on time for those that are under
way, and asks as often as it means to, where the others are too busy to ask.

## What was to be reached

${table(
  ["At", "Measured", "At most", "Reached"],
  targets.map((target) => [target.name, target.value.toFixed(2), String(target.most), isReached(target) ? "yes" : "no"])
)}

## ${count(few)} generations at once

The run in the middle of ${String(rounds)}, by processor time.

${contest(atFew)}

## ${count(many)} generations at once

One run of two of the clients.

${contest(atMany)}
`
