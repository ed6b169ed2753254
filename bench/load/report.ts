import { table } from "../table.js"
import type { Attributions } from "./attribution.js"
import { parts } from "./attribution.js"
import { attributionCase, heapCase } from "./cases.js"
import type { Summaries, Summary } from "./summary.js"
import { relative } from "./summary.js"
import type { Target } from "./targets.js"
import { isMet } from "./targets.js"

export interface Results {
  readonly fixed: Summaries
  readonly clock: Summaries
  readonly capped: Summaries
  readonly large: Summaries
  /** The bytes that each contender retains per waiting generation. */
  readonly heap: ReadonlyMap<string, number>
  readonly attributions: Attributions
}

const titles: Readonly<Record<string, string>> = {
  arta: "effect-arta",
  "arta-http": "effect-arta over `HttpClient`",
  fetch: "loop over fetch",
  undici: "loop over undici",
  dispatch: "loop over undici's dispatcher",
  "effect-dispatch": "loop in Effect over undici's dispatcher",
  "effect-modules": "loop in Effect with effect-arta's modules",
  effect: "loop in Effect",
  replicate: "replicate",
  fal: "@fal-ai/client"
}

const titleOf = (contender: string) => titles[contender] ?? contender

/** The columns of a table, in their order. */
type Columns = Readonly<Record<string, (summary: Summary) => string>>

const usage: Columns = {
  Requests: ({ requests }) => requests.toFixed(1),
  "All, s": ({ total }) => total.toFixed(1),
  "Sign-ups": ({ signUps }) => String(signUps),
  Failures: ({ failures }) => String(failures),
  Runs: ({ runs }) => String(runs)
}

const lag: Columns = {
  "Mean lag, s": (summary) => (summary.lag / 1_000).toFixed(2),
  "95th percentile, s": ({ lag95 }) => (lag95 / 1_000).toFixed(2)
}

const comparisonTable = (summaries: Summaries, columns: Columns): string =>
  table(
    ["Client", "Processor", "Memory", ...Object.keys(columns)],
    [...summaries].map(([contender, summary]) => [
      titleOf(contender),
      relative(summaries, contender, "cpu").toFixed(2),
      relative(summaries, contender, "peak").toFixed(2),
      ...Object.values(columns).map((format) => format(summary))
    ])
  )

/** Without lag, which has no meaning if the number of requests decides when a generation ends. */
export const usageTable = (summaries: Summaries): string => comparisonTable(summaries, usage)

export const lagTable = (summaries: Summaries): string => comparisonTable(summaries, { ...lag, ...usage })

export const heapTable = (heap: Results["heap"]): string =>
  table(
    ["Client", "Heap per waiting generation, kB"],
    [...heap].map(([contender, bytes]) => [titleOf(contender), (bytes / 1_000).toFixed(1)])
  )

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0)

const processorTable = (processor: Attributions["processor"]): string => {
  const whole = sum(processor.get("fetch")?.values() ?? [])
  const cells = (millisOf: (contender: string) => number) =>
    [...processor.keys()].map((contender) => (millisOf(contender) / whole).toFixed(2))
  return table(
    ["Part", ...[...processor.keys()].map(titleOf)],
    [
      ...parts.map((part) => [part, ...cells((contender) => processor.get(contender)?.get(part) ?? 0)]),
      ["all", ...cells((contender) => sum(processor.get(contender)?.values() ?? []))]
    ]
  )
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0)

const peakTable = (measured: string, peaks: ReadonlyMap<string, number>): string =>
  table(
    ["Client", measured],
    [...peaks].map(([contender, peak]) => [titleOf(contender), megabytes(peak)])
  )

export const attributionTables = ({ imports, processor, smallHeap }: Attributions): string =>
  `Where the processor time goes at 1,000 generations with fixed requests, relative to all of the fetch loop's. V8's
profiler attributes each sample of the main thread to the innermost script that runs. It slows down small functions, so
the sum differs from the ratio without it. The time to load modules does not count.

${processorTable(processor)}

What the imports take: the peak memory of the process with one generation. Each client imports what those above it
import, and more.

${peakTable("One generation, MB", imports)}

What is alive takes less than the peak memory: V8 lets the heap grow to a multiple of it before it collects garbage. The
peak memory at 5,000 generations, at most 1,000 at a time, in a small heap (\`${attributionCase.smallHeap.option}\`):

${peakTable("5,000 in a small heap, MB", smallHeap)}`

export const markdown = (
  machine: string,
  { attributions, capped, clock, fixed, heap, large }: Results,
  targets: ReadonlyArray<Target>
): string => `# Load

\`npm run bench:load\` writes this page. One process runs many generations, against a server in another process. The clients
run one after the other, each in a new process against a new server. These figures come from a machine with ${machine}.
Compare only the ratios within one table.

- **Processor**: the processor time of all threads of the client's process, from the end of its imports to its last image,
  relative to the fetch loop.
- **Memory**: the peak memory of the process, imports included, relative to the fetch loop.
- **Requests**: the requests per generation, including its share of the sign-up.
- **Lag**: the time from the end of a generation to the moment when the client notices it. On a busy machine, every client
  notices later than its polling interval suggests.
- **All**: the time until the client notices the last image.
- **Failures**: the generations for which the client reports an error.
- **Runs**: how often the client ran.

Each figure is the median of its runs, and the clients take turns. Sign-ups and failures are those of the worst run.

The loops are minimal programs: they sign up once, poll every 500 ms, and have neither retries nor timeouts. The loop over
undici's dispatcher parses a response from its chunks, which is the least that a request costs there. The loop in Effect uses
the HTTP client of \`@effect/platform\` over undici, and shows what Effect and that client cost on their own. The loop in
Effect over undici's dispatcher shows what Effect costs without that client; with the modules that effect-arta loads on
Node, it shows what these cost in memory.

effect-arta runs from its built files with \`NodeArta.layer\` and its defaults: the session is in a file, and at most 32
generations are submitted at a time. While more than 1,000 wait, polls come first. The loops submit all generations
immediately. "effect-arta over \`HttpClient\`" is \`Arta.layer\` over the HTTP client of \`@effect/platform-node\`, with the
session in memory.

## Targets

Processor time and memory are relative to the fetch loop.

${table(
  ["At", "Measured", "At most", "Met"],
  targets.map((target) => [target.name, target.value.toFixed(2), String(target.limit), isMet(target) ? "yes" : "no"])
)}

## 1,000 generations, fixed requests

The server ends a generation with its seventh status request, so every client sends the same requests: it compares what a
request costs, and not when a client polls. effect-arta polls every 500 ms, too.

${usageTable(fixed)}

## 1,000 generations, by the clock

A generation is queued for 1 s and in progress for 2 s. A client that is too busy to poll sends fewer requests. effect-arta
polls with its default schedule. The server has the routes that \`replicate\` and \`@fal-ai/client\` expect, and both run with
their defaults. \`replicate\` prefers a request that the server holds open; this server does not hold requests open, so
\`replicate\` polls.

${lagTable(clock)}

## 5,000 generations, at most 1,000 at a time

Fixed requests, with a simple limiter in both clients.

${usageTable(capped)}

## 10,000 generations

All at the same time, by the clock.

${lagTable(large)}

## Heap

The heap that a generation retains after its first poll, while it waits for the second one. ${heapCase.generations.toLocaleString("en")} generations wait at the
same time. The heap that the process retains before the first generation does not count. Measured after garbage collection.

${heapTable(heap)}

## Attribution

${attributionTables(attributions)}
`
