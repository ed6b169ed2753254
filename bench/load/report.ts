import { table } from "../table.js"
import type { Run } from "./run.js"

/** The measurements of one run, per generation unless noted. */
export interface Summary {
  readonly name: string
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

const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length

const quantile = (share: number, values: ReadonlyArray<number>): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] ?? NaN

export const summarize = (name: string, generations: number, { counts, ...usage }: Run): Summary => ({
  name,
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

/** The median run by processor time. All figures come from this run, because a median per figure would mix runs. */
export const medianRun = (summaries: ReadonlyArray<Summary>): Summary => {
  const sorted = [...summaries].sort((a, b) => a.cpu - b.cpu)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) throw new Error("no run to take the median of")
  return middle
}

export interface Target {
  readonly name: string
  readonly value: number
  readonly limit: number
}

export const isMet = ({ limit, value }: Target): boolean => value <= limit

const findSummary = (summaries: ReadonlyArray<Summary>, name: string): Summary => {
  const found = summaries.find((summary) => summary.name === name)
  if (found === undefined) throw new Error(`${name} did not run`)
  return found
}

export const buildTargets = (small: ReadonlyArray<Summary>, large: ReadonlyArray<Summary>): ReadonlyArray<Target> => {
  const arta = findSummary(small, "arta")
  const loop = findSummary(small, "fetch")
  const artaLarge = findSummary(large, "arta")
  return [
    { name: "1,000: processor time, relative to the fetch loop", value: arta.cpu / loop.cpu, limit: 1 },
    { name: "1,000: peak memory, relative to the fetch loop", value: arta.peak / loop.peak, limit: 1.2 },
    { name: "10,000: lost generations", value: artaLarge.lost, limit: 0 },
    { name: "10,000: sign-ups", value: artaLarge.signUps, limit: 1 },
    { name: "10,000: peak memory, GB", value: artaLarge.peak / 1_000, limit: 1 },
    { name: "10,000: mean lag, relative to 1,000", value: artaLarge.lag / arta.lag, limit: 1.5 }
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

const comparisonTable = (summaries: ReadonlyArray<Summary>): string => {
  const loop = findSummary(summaries, "fetch")
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
    summaries.map((summary) => [
      titles[summary.name] ?? summary.name,
      (summary.cpu / loop.cpu).toFixed(2),
      (summary.peak / loop.peak).toFixed(2),
      summary.requests.toFixed(1),
      (summary.lag / 1_000).toFixed(2),
      (summary.lag95 / 1_000).toFixed(2),
      summary.total.toFixed(1),
      String(summary.signUps),
      String(summary.failures)
    ])
  )
}

interface Comparison {
  /** The number of concurrent generations. */
  readonly generations: number
  readonly summaries: ReadonlyArray<Summary>
}

export interface Results {
  readonly machine: string
  readonly rounds: number
  readonly small: Comparison
  readonly large: Comparison
  readonly targets: ReadonlyArray<Target>
}

const formatCount = (value: number) => value.toLocaleString("en")

export const markdown = ({ large, machine, rounds, small, targets }: Results): string => `# Load

\`npm run bench:load\` writes this page. One process starts many generations at the same time, against a server in another
process. The clients run one after the other, each in a new process against a new server. A generation is queued for 1 s and in
progress for 2 s. These figures come from a machine with ${machine}. Compare only the ratios within one table.

- **Processor**: the processor time of all threads of the client's process, from the end of its imports to its last image,
  relative to the fetch loop.
- **Memory**: the peak memory of the process, imports included, relative to the fetch loop.
- **Requests**: the requests per generation, including its share of the sign-up.
- **Lag**: the time from the end of a generation to the moment when the client notices it. On a busy machine, every client
  notices later than its polling interval suggests.
- **All**: the time until the client notices the last image.
- **Failures**: the generations for which the client reports an error.

The loops are minimal programs: they sign up once, poll every 500 ms, and have neither retries nor timeouts. The loop in Effect
uses the HTTP client of \`@effect/platform\` over undici, and shows what Effect and that client cost on their own. The server has
the routes that \`replicate\` and \`@fal-ai/client\` expect, and both run with their defaults. \`replicate\` prefers a request that
the server holds open; this server does not hold requests open, so \`replicate\` polls. effect-arta runs from its built files,
over undici, with its defaults. It submits at most 32 generations at a time, so it polls on time. The others submit all
generations immediately, and are then too busy to poll.

## Targets

${table(
  ["At", "Measured", "At most", "Met"],
  targets.map((target) => [target.name, target.value.toFixed(2), String(target.limit), isMet(target) ? "yes" : "no"])
)}

## ${formatCount(small.generations)} concurrent generations

The median of ${String(rounds)} runs by processor time.

${comparisonTable(small.summaries)}

## ${formatCount(large.generations)} concurrent generations

One run of two clients.

${comparisonTable(large.summaries)}
`
