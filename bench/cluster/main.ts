// npx tsx bench/cluster/main.ts
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

const launch = (program: string, args: ReadonlyArray<string>, execArgv: Array<string> = []) =>
  fork(`${built}/${program}.js`, args, { execArgv })

const ask = async <A>(child: ChildProcess): Promise<A> => {
  child.send("usage")
  return ((await once(child, "message")) as [A])[0]
}

const startService = async (submitMillis: number, drawMillis: number) => {
  const child = launch("service", [String(submitMillis), String(drawMillis)])
  const [url] = (await once(child, "message")) as [string]
  return { child, url, counts: () => ask<{ submissions: number; prompts: number; twice: number }>(child) }
}

/** With `PROFILE=1`, each runner writes a processor profile when it ends. */
const profiling = process.env["PROFILE"] === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${built}`]

const temporary = mkdtempSync(join(tmpdir(), "effect-arta-cluster-"))
let runners = 0
const startRunner = async (settings: Omit<Settings, "tokenFile">): Promise<ChildProcess> => {
  runners += 1
  const tokenFile = join(temporary, `${String(runners)}.json`)
  const child = launch("runner", [JSON.stringify({ ...settings, tokenFile })], profiling)
  await once(child, "message")
  return child
}

interface Case {
  readonly dispatch: Exclude<Settings["dispatch"], "plain" | "enqueue">
  readonly runners: number
  readonly rows: number
  readonly window: number
  readonly submissionsAtOnce?: number
  readonly submitMillis?: number
  readonly drawMillis?: number
  /** What happens to the first runner once a quarter of the rows is done. Default: nothing. */
  readonly fault?: NodeJS.Signals | "join"
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

const measure = (
  postgres: Postgres.Service,
  { dispatch, drawMillis = 0, submissionsAtOnce = 4, submitMillis = 0, ...test }: Case
) =>
  Effect.gen(function* () {
    const database = yield* postgres.createDatabase
    const service = yield* Effect.promise(() => startService(submitMillis, drawMillis))
    const settings = { database, service: service.url, rows: test.rows, window: test.window, submissionsAtOnce }
    const finishedRows = Effect.map(
      postgres.query(database, "select count(*) from rows where done_at is not null"),
      Number
    )

    const plainRows = test.fault === undefined ? Math.min(1_000, test.rows) : 10
    const plainChild = yield* Effect.promise(() => startRunner({ ...settings, dispatch: "plain", rows: plainRows }))
    const plainTenth = yield* Effect.promise(() => untilAll([plainChild], plainRows / 10))
    const plainEnd = yield* Effect.promise(() => untilAll([plainChild], plainRows))
    plainChild.kill("SIGKILL")
    const afterPlain = yield* Effect.promise(service.counts)

    const enqueueStart = performance.now()
    const enqueueChild = yield* Effect.promise(() => startRunner({ ...settings, dispatch: "enqueue" }))
    yield* Effect.promise(() => untilAll([enqueueChild], test.rows))
    enqueueChild.kill("SIGKILL")
    const enqueueMillis = performance.now() - enqueueStart
    yield* Effect.promise(() => setTimeout(1_500))
    const before = yield* postgres.transactions(database)
    const startAnother = () => startRunner({ ...settings, dispatch })
    const children = yield* Effect.promise(() => Promise.all(Array.from({ length: test.runners }, startAnother)))
    const begin = performance.now()
    while ((yield* finishedRows) < test.rows / 10) yield* Effect.sleep("200 millis")
    const tenth = performance.now()
    const doneAtTenth = yield* finishedRows
    const usagesAtTenth = yield* Effect.promise(() => Promise.all(children.map((child) => ask<Usage>(child))))
    const [first] = children
    let disturbedAt = 0
    let exitMillis = NaN
    if (test.fault !== undefined && first !== undefined) {
      while ((yield* finishedRows) < test.rows / 4) yield* Effect.sleep("200 millis")
      disturbedAt = Date.now()
      if (test.fault === "join") children.push(yield* Effect.promise(startAnother))
      else {
        first.kill(test.fault)
        first.once("exit", () => {
          exitMillis = Date.now() - disturbedAt
        })
        if (test.fault === "SIGSTOP") {
          yield* Effect.sleep("75 seconds")
          first.kill("SIGCONT")
        }
      }
    }
    while ((yield* finishedRows) < test.rows) yield* Effect.sleep("500 millis")
    const end = performance.now()
    const alive = children.filter((child) => child.exitCode === null && child.signalCode === null)
    const usages = yield* Effect.promise(() => Promise.all(alive.map((child) => ask<Usage>(child))))
    yield* Effect.sleep("1500 millis")
    const after = yield* postgres.transactions(database)
    const counts = yield* Effect.promise(service.counts)
    const plainCpu = cpuEach(plainTenth, plainEnd)
    const cpu = cpuEach(usagesAtTenth, usages)
    console.log({
      dispatch,
      ...test,
      drawMillis,
      submitMillis,
      enqueueMillis: Math.round(enqueueMillis),
      seconds: ((end - begin) / 1_000).toFixed(1),
      perSecond: ((test.rows - doneAtTenth) / ((end - tenth) / 1_000)).toFixed(1),
      plainCpu: plainCpu.toFixed(2),
      cpu: cpu.toFixed(2),
      ratio: (cpu / plainCpu).toFixed(2),
      transactions: ((after - before) / test.rows).toFixed(1),
      peakMegabytes: usages.map(({ peakMegabytes }) => Math.round(peakMegabytes)),
      exitMillis,
      resumed: yield* postgres.query(
        database,
        `select count(*), min(extract(epoch from done_at) * 1000 - ${String(disturbedAt)})::int,
           max(extract(epoch from done_at) * 1000 - ${String(disturbedAt)})::int
         from rows join arta_submissions s on s.key = 'row/' || rows.id join arta_runners r on r.id = s.owner
         where r.pid = ${String(first?.pid ?? 0)} and runner <> r.pid`
      ),
      rowsByRunner: (yield* postgres.query(database, "select runner, state, count(*) from rows group by 1, 2")).split(
        "\n"
      ),
      submissions: counts.submissions - afterPlain.submissions,
      prompts: counts.prompts,
      twice: counts.twice
    })
    console.log(yield* postgres.query(database, "select relname, n_live_tup from pg_stat_user_tables"))
    children.forEach((child) => child.kill(profiling.length > 0 ? "SIGTERM" : "SIGKILL"))
    if (profiling.length > 0) yield* Effect.sleep("5 seconds")
    service.child.disconnect()
  })

const cases: Readonly<Record<string, ReadonlyArray<Case>>> = {
  speed: [
    { dispatch: "activity", runners: 1, rows: 1_000, window: 100 },
    { dispatch: "row", runners: 1, rows: 1_000, window: 100 },
    { dispatch: "page", runners: 1, rows: 1_000, window: 100 },
    { dispatch: "claims", runners: 1, rows: 1_000, window: 100 }
  ]
}

const program = Effect.gen(function* () {
  const postgres = yield* Postgres.Postgres
  const name = process.argv[2] ?? "speed"
  const tests = name.startsWith("{") ? [JSON.parse(name) as Case] : (cases[name] ?? [])
  for (const test of tests) yield* measure(postgres, test)
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
