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
  /** How many generations returned no image, whether or not the client reported a failure. */
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

/** The median run by processor time. All figures come from this run: medians of each figure would mix runs. */
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
    { name: "1,000: processor time, relative to the fetch loop", value: arta.cpu / loop.cpu, most: 1 },
    { name: "1,000: peak memory, relative to the fetch loop", value: arta.peak / loop.peak, most: 1.2 },
    { name: "10,000: lost", value: crowd.lost, most: 0 },
    { name: "10,000: sign-ups", value: crowd.signUps, most: 1 },
    { name: "10,000: peak memory, GB", value: crowd.peak / 1_000, most: 1 },
    { name: "10,000: mean lag, relative to 1,000", value: crowd.lag / arta.lag, most: 1.5 }
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

\`npm run bench:load\` writes this page. One process starts many generations at the same time, against a server in another
process. The clients run one after the other, each in a new process against a new server. A generation is queued for 1 s and in
progress for 2 s. This page was written on a machine with ${machine}. Only the ratios within one table are comparable.

- **Processor**: the processor time of all threads of the client's process, from the end of its imports to its last image,
  relative to the fetch loop.
- **Memory**: the peak memory of the process, imports included, relative to the fetch loop.
- **Requests**: the requests of one generation, including its share of the sign-up.
- **Lag**: the time from the end of a generation to the moment when the client notices it. On a busy machine, every client
  notices later than its pauses suggest.
- **All**: the time until the client has noticed the last image.

The loops are minimal programs: they sign up once, poll every 500 ms, and have neither retries nor timeouts. The loop in Effect
uses the HTTP client of \`@effect/platform\` over undici, and shows the cost of what effect-arta builds on. The packages run with
their defaults, on the routes that they expect. \`replicate\` prefers a request that the server holds open; this server does not
hold requests open, so \`replicate\` polls. effect-arta runs from its built files, over undici, with its defaults. It submits at
most 32 generations at a time, while the others submit all of them immediately. So effect-arta polls the generations under way
on time, while the others are too busy to poll.

## Targets

${table(
  ["At", "Measured", "At most", "Met"],
  targets.map((target) => [target.name, target.value.toFixed(2), String(target.most), isReached(target) ? "yes" : "no"])
)}

## ${count(few)} concurrent generations

The median of ${String(rounds)} runs by processor time.

${contest(atFew)}

## ${count(many)} concurrent generations

One run of two clients.

${contest(atMany)}
`
