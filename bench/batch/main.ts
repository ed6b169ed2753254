// npm run bench:batch -- [--rows 2000,20000] [--runners 1,2,4] [--queued 2000,50000] [--in-flight 200]
// [--databases PostgreSQL,SQLite] [--no-write]
import { rmSync, writeFileSync } from "node:fs"
import { mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import type { Database } from "./database.js"
import { withPostgres, withSqlite } from "./database.js"
import { measureInFlight, measurePlain, measureQueued, measureResume, measureThroughput } from "./measure.js"
import { buildPrograms } from "./processes.js"
import type { Results } from "./report.js"
import { report } from "./report.js"

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "2000,20000" },
    runners: { type: "string", default: "1,2,4" },
    queued: { type: "string", default: "2000,50000" },
    "in-flight": { type: "string", default: "200" },
    databases: { type: "string", default: "PostgreSQL,SQLite" },
    "no-write": { type: "boolean", default: false }
  }
})

const numbers = (list: string): ReadonlyArray<number> => list.split(",").map(Number)

/** Measures one after the other, in a new directory for each, and prints the results. */
const each = async <A, B>(inputs: ReadonlyArray<A>, measure: (input: A, directory: string) => Promise<B>) => {
  const results: Array<B> = []
  for (const input of inputs) {
    const directory = await mkdtemp(join(tmpdir(), "effect-arta-bench-"))
    try {
      results.push(await measure(input, directory))
      console.log(results.at(-1))
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
  return results
}

const measureAll = async (databases: ReadonlyArray<Database>): Promise<Results> => {
  const fast = numbers(options.rows).map((rows) => ({ rows, drawMillis: 0, concurrency: 100 }))
  const slow = [1, 2].map((runners) => ({ runners, rows: 200 * runners, drawMillis: 5_000, concurrency: 50 }))
  const withEach = <A>(loads: ReadonlyArray<A>) =>
    databases.flatMap((database) => loads.map((load) => ({ database, load })))

  const plain = await each([...fast, ...slow], (load, directory) => measurePlain(directory, load))
  const loads = fast.flatMap((load) => numbers(options.runners).map((runners) => ({ ...load, runners })))
  const throughput = await each(withEach([...loads, ...slow]), ({ database, load }, directory) =>
    measureThroughput(database, directory, load)
  )
  const queued = await each(withEach(numbers(options.queued)), async ({ database, load }, directory) => ({
    database: database.name,
    rows: load,
    ...(await measureQueued(database, directory, load, Math.min(...numbers(options.queued))))
  }))
  const inFlight = await each(withEach(numbers(options["in-flight"])), async ({ database, load }, directory) => ({
    database: database.name,
    inFlight: load,
    peakBytes: await measureInFlight(database, directory, load)
  }))
  const resume = await each(withEach(["SIGKILL", "SIGTERM"] as const), async ({ database, load }, directory) => ({
    database: database.name,
    signal: load,
    ...(await measureResume(database, directory, load))
  }))
  return { plain, throughput, queued, inFlight, resume }
}

await buildPrograms()
const page = report(
  await withPostgres((postgres) =>
    withSqlite((sqlite) => measureAll([postgres, sqlite].filter(({ name }) => options.databases.includes(name))))
  )
)
console.log(page)
if (!options["no-write"]) writeFileSync(new URL("README.md", import.meta.url), page)
