import type { ChildProcess } from "node:child_process"
import { setTimeout } from "node:timers/promises"
import type { Database } from "./database.js"
import type { Usage } from "./measures.js"
import type { Environment, Upstream } from "./processes.js"
import { ask, end, messageFrom, start, withUpstream } from "./processes.js"

interface Batch {
  readonly url: string
  readonly upstream: Upstream
  /** Starts a runner, and waits until it is ready. */
  readonly startRunner: (concurrency: number) => Promise<ChildProcess>
  readonly enqueueMillis: number
}

/** Enqueues rows in an empty database, and stops all runners after `use`. */
const withBatch = <A>(
  database: Database,
  directory: string,
  { rows, drawMillis }: { readonly rows: number; readonly drawMillis: number },
  use: (batch: Batch) => Promise<A>
): Promise<A> =>
  withUpstream(drawMillis, async (upstream) => {
    const url = await database.create()
    const runners: Array<ChildProcess> = []
    const startRunner = async (inFlight: number) => {
      const runner = start("runner", [url, `${directory}/images`, inFlight], {
        ...upstream.environment,
        ARTA_TOKEN_FILE: `${directory}/credentials.json`
      })
      runners.push(runner)
      await messageFrom(runner)
      return runner
    }
    try {
      const enqueueMillis = await messageFrom<number>(start("enqueue", [url, rows]))
      return await use({ url, upstream, startRunner, enqueueMillis })
    } finally {
      for (const runner of runners) await end(runner, "SIGKILL")
    }
  })

/** Waits until the upstream has counted so many. */
const until = async (upstream: Upstream, key: "images" | "polled" | "resumed", count: number): Promise<void> => {
  while ((await upstream.ask("counts"))[key] < count) await setTimeout(200)
}

const usageOf = (runners: ReadonlyArray<ChildProcess>): Promise<ReadonlyArray<Usage>> =>
  Promise.all(runners.map((runner) => ask<Usage>(runner, "usage")))

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

interface Load {
  readonly rows: number
  readonly drawMillis: number
  /** How many generations a runner has in flight. */
  readonly concurrency: number
}

export interface Throughput extends Load {
  readonly database: string
  readonly runners: number
  readonly perSecond: number
  readonly cpuMillis: number
  readonly transactions: number
  readonly peakBytes: number
  readonly repeated: number
  readonly sizes: Awaited<ReturnType<Database["sizes"]>>
}

/** Runs a batch to its end. */
export const measureThroughput = (
  database: Database,
  directory: string,
  load: Load & { readonly runners: number }
): Promise<Throughput> =>
  withBatch(database, directory, load, async ({ url, upstream, startRunner }) => {
    const before = await database.transactions(url)
    const runners = await Promise.all(Array.from({ length: load.runners }, () => startRunner(load.concurrency)))
    for (const runner of runners) runner.send("run")
    await until(upstream, "images", load.rows)
    // The last rows are still to be recorded as saved, and PostgreSQL counts with a delay.
    await setTimeout(2_000)
    const usages = await usageOf(runners)
    const { activeMillis, repeated } = await upstream.ask("counts")
    return {
      database: database.name,
      ...load,
      perSecond: (load.rows / activeMillis) * 1_000,
      cpuMillis: sum(usages.map(({ cpuMillis }) => cpuMillis)) / load.rows,
      transactions: ((await database.transactions(url)) - before) / load.rows,
      peakBytes: Math.max(...usages.map(({ peakBytes }) => peakBytes)),
      repeated,
      sizes: await database.sizes(url)
    }
  })

/** What a program without a database takes for the same load. */
export interface Plain extends Load {
  /** The processor time of a generation, in milliseconds. */
  readonly cpuMillis: number
}

export const measurePlain = (directory: string, load: Load): Promise<Plain> =>
  withUpstream(load.drawMillis, async ({ environment }) => {
    const variables: Environment = { ...environment, ARTA_TOKEN_FILE: `${directory}/credentials.json` }
    const plain = start("plain", [load.rows, load.concurrency, `${directory}/plain`], variables)
    const usage = await messageFrom<Usage>(plain)
    // What it still writes must not be in the way when the directory is removed.
    await end(plain, "SIGKILL")
    return { ...load, cpuMillis: usage.cpuMillis / load.rows }
  })

export interface Queued {
  readonly enqueueMillis: number
  /** The peak memory of a runner that has generated the first rows of the queue. */
  readonly peakBytes: number
}

export const measureQueued = (database: Database, directory: string, rows: number, first: number): Promise<Queued> =>
  withBatch(database, directory, { rows, drawMillis: 0 }, async ({ enqueueMillis, startRunner, upstream }) => {
    const runner = await startRunner(100)
    runner.send("run")
    await until(upstream, "images", first)
    const [usage] = await usageOf([runner])
    return { enqueueMillis, peakBytes: usage?.peakBytes ?? Number.NaN }
  })

/** The peak memory of a runner with so many generations in flight. */
export const measureInFlight = (database: Database, directory: string, inFlight: number): Promise<number> =>
  withBatch(database, directory, { rows: 2 * inFlight, drawMillis: 15_000 }, async ({ startRunner, upstream }) => {
    const runner = await startRunner(inFlight)
    runner.send("run")
    await until(upstream, "images", 2 * inFlight)
    const [usage] = await usageOf([runner])
    return usage?.peakBytes ?? Number.NaN
  })

const resumed = 20

export interface Resume {
  /** The time from the signal to the end of the process, in milliseconds. */
  readonly endMillis: number
  /** The time from the signal until another runner has polled each generation again, in milliseconds. */
  readonly resumeMillis: number
}

/** Stops a runner whose generations are all in flight, while another one has nothing to do. */
export const measureResume = (database: Database, directory: string, signal: "SIGKILL" | "SIGTERM"): Promise<Resume> =>
  withBatch(database, directory, { rows: resumed, drawMillis: 300_000 }, async ({ startRunner, upstream }) => {
    const stopped = await startRunner(resumed)
    stopped.send("run")
    await until(upstream, "polled", resumed)
    const other = await startRunner(resumed)
    other.send("run")
    await setTimeout(3_000)
    // A SIGTERM lets polls under way finish, which must not count as resumed.
    const endMillis = await end(stopped, signal)
    await upstream.ask("mark")
    await until(upstream, "resumed", resumed)
    const { resumedAfter } = await upstream.ask("counts")
    return { endMillis, resumeMillis: endMillis + resumedAfter }
  })
