// npx tsx bench/cluster/main.ts [ROWS]
// The processor time of a generation by the kind of dispatch, against the library alone. Needs PostgreSQL.
import { Effect } from "effect"
import { build } from "esbuild"
import type { ChildProcess } from "node:child_process"
import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import * as Postgres from "../../test/support/postgres.js"
import type { Settings } from "./settings.js"

interface Usage {
  readonly finished: number
  readonly cpuMillis: number
  readonly peakMegabytes: number
}

const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const built = fromRoot("node_modules/.cache/cluster")

// A TypeScript loader would distort the measurement.
await build({
  entryPoints: [fromRoot("bench/cluster/runner.ts"), fromRoot("bench/cluster/service.ts")],
  outdir: built,
  bundle: true,
  packages: "external",
  alias: {
    "effect-arta": fromRoot("src/index.ts"),
    "effect-arta/node": fromRoot("src/node/index.ts"),
    "effect-arta/batch": fromRoot("src/batch/index.ts")
  },
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "error"
})

const launch = (program: string, args: ReadonlyArray<string>) => fork(`${built}/${program}.js`, args)

const ask = async <A>(child: ChildProcess): Promise<A> => {
  child.send("usage")
  return ((await once(child, "message")) as [A])[0]
}

const startService = async () => {
  const child = launch("service", [])
  const [url] = (await once(child, "message")) as [string]
  return { child, url, counts: () => ask<{ readonly twice: number }>(child) }
}

const temporary = mkdtempSync(join(tmpdir(), "effect-arta-cluster-"))
let runners = 0
const startRunner = async (settings: Omit<Settings, "tokenFile">): Promise<ChildProcess> => {
  runners += 1
  const tokenFile = join(temporary, `${String(runners)}.json`)
  const child = launch("runner", [JSON.stringify({ ...settings, tokenFile })])
  await once(child, "message")
  return child
}

const untilAll = async (children: ReadonlyArray<ChildProcess>, rows: number): Promise<ReadonlyArray<Usage>> => {
  const usages = await Promise.all(children.map((child) => ask<Usage>(child)))
  if (usages.reduce((total, { finished }) => total + finished, 0) >= rows) return usages
  await setTimeout(250)
  return untilAll(children, rows)
}

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)

/** Processor milliseconds of each generation between two moments: without the start of the processes. */
const cpuEach = (from: ReadonlyArray<Usage>, to: ReadonlyArray<Usage>) => {
  const difference = (key: keyof Usage) => sum(to.map((usage) => usage[key])) - sum(from.map((usage) => usage[key]))
  return difference("cpuMillis") / difference("finished")
}

/** Generations at the same time. */
const window = 100

const measure = (postgres: Postgres.Service, dispatch: "claims" | "activity" | "page", rows: number) =>
  Effect.gen(function* () {
    const database = yield* postgres.createDatabase
    const service = yield* Effect.promise(startService)
    const settings = { database, service: service.url, rows, window }

    // From a tenth of the rows to the end, so that neither figure has the start of a process or of the engine.
    const plain = yield* Effect.promise(() => startRunner({ ...settings, dispatch: "plain" }))
    const plainTenth = yield* Effect.promise(() => untilAll([plain], rows / 10))
    const plainEnd = yield* Effect.promise(() => untilAll([plain], rows))
    plain.kill("SIGKILL")

    const enqueuer = yield* Effect.promise(() => startRunner({ ...settings, dispatch: "enqueue" }))
    yield* Effect.promise(() => untilAll([enqueuer], rows))
    enqueuer.kill("SIGKILL")

    // PostgreSQL counts the transactions of a connection about a second late.
    const late = Effect.sleep("1500 millis")
    const before = yield* Effect.zipRight(late, postgres.transactions(database))
    const runner = yield* Effect.promise(() => startRunner({ ...settings, dispatch }))
    const tenth = yield* Effect.promise(() => untilAll([runner], rows / 10))
    const end = yield* Effect.promise(() => untilAll([runner], rows))
    const after = yield* Effect.zipRight(late, postgres.transactions(database))
    runner.kill("SIGKILL")

    const { twice } = yield* Effect.promise(service.counts)
    service.child.disconnect()
    const plainMillis = cpuEach(plainTenth, plainEnd)
    const millis = cpuEach(tenth, end)
    return {
      dispatch,
      "ms each, library": plainMillis.toFixed(2),
      "ms each": millis.toFixed(2),
      ratio: (millis / plainMillis).toFixed(2),
      "transactions each": ((after - before) / rows).toFixed(1),
      "peak MB": Math.round(Math.max(...end.map(({ peakMegabytes }) => peakMegabytes))),
      "sent twice": twice
    }
  })

const rows = Number(process.argv[2] ?? 1_000)

const program = Effect.gen(function* () {
  const postgres = yield* Postgres.Postgres
  for (const dispatch of ["claims", "activity", "page"] as const) {
    console.table([yield* measure(postgres, dispatch, rows)])
  }
}).pipe(
  Effect.provide(Postgres.layer),
  Effect.ensuring(
    Effect.sync(() => {
      rmSync(temporary, { recursive: true })
    })
  )
)

await Effect.runPromise(program)
process.exit()
