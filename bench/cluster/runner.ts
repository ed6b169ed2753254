// One runner: feeds rows of its own shards into the workflow engine, a window of them at a time.
import * as ClusterWorkflowEngine from "@effect/cluster/ClusterWorkflowEngine"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as RunnerHealth from "@effect/cluster/RunnerHealth"
import * as Runners from "@effect/cluster/Runners"
import { ShardId } from "@effect/cluster/ShardId"
import * as Sharding from "@effect/cluster/Sharding"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as SqlMessageStorage from "@effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "@effect/cluster/SqlRunnerStorage"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as SqlClient from "@effect/sql/SqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Activity from "@effect/workflow/Activity"
import { Effect, Layer, Option, Redacted, Schema } from "effect"
import type { ArtaApi, Auth } from "effect-arta"
import { Arta, GenerateRequest } from "effect-arta"
import { BatchDatabase, SubmissionLedger } from "effect-arta/batch"
import { NodeArta } from "effect-arta/node"
import type { Settings } from "./settings.js"
import { pageSize, shards } from "./settings.js"
import { enqueue } from "./tables.js"
import { Page, Row } from "./workflows.js"

const settings = JSON.parse(process.argv[2] ?? "") as Settings

const running = new Set<number>()
let finished = 0

interface EncodedRow {
  readonly id: number
  readonly request: string
}

const decodeRequest = Schema.decode(Schema.parseJson(GenerateRequest.GenerateRequest))

const drawRow = (id: number, request: GenerateRequest.GenerateRequest) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const state = yield* Effect.match(SubmissionLedger.draw(`row/${String(id)}`, request), {
      onSuccess: () => "done",
      onFailure: ({ _tag }) => (_tag === "SubmissionUnknownError" ? "unknown" : "failed")
    })
    yield* sql`UPDATE rows SET state = ${state}, done_at = now(), runner = ${process.pid}
      WHERE id = ${id} AND done_at IS NULL`
    finished += 1
  }).pipe(
    Effect.orDie,
    Effect.ensuring(
      Effect.sync(() => {
        running.delete(id)
      })
    )
  )

const drawEncoded = ({ id, request }: EncodedRow) => {
  running.add(id)
  return Effect.flatMap(Effect.orDie(decodeRequest(request)), (decoded) => drawRow(id, decoded))
}

const runRow = Row.toLayer(({ request, row }) => {
  running.add(row)
  return Activity.make({ name: "draw", execute: drawRow(row, request) })
})

const runPage = Page.toLayer(({ page }) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<EncodedRow>`SELECT id, request FROM rows WHERE page = ${page} AND done_at IS NULL`
    yield* Effect.forEach(rows, drawEncoded, { concurrency: "unbounded", discard: true })
  }).pipe(Effect.orDie)
)

const room = () => settings.window - running.size

const inTransaction = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => sql.withTransaction(effect))

const ownShards = Effect.map(Sharding.Sharding, (sharding) =>
  shards.filter((id) => sharding.hasShardId(ShardId.make({ group: "default", id })))
)

/** Moves rows of this runner's shards into the engine, in one transaction for all of them. */
const feedRows = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const own = yield* ownShards
  if (room() < settings.window / 4 || own.length === 0) return 0
  const rows = yield* sql<EncodedRow>`
    SELECT id, request FROM rows WHERE state = 'queued' AND shard IN ${sql.in(own)} ORDER BY id LIMIT ${room()}`
  for (const { id, request } of rows) {
    running.add(id)
    yield* Row.execute({ row: id, request: yield* decodeRequest(request) }, { discard: true })
  }
  if (rows.length > 0) yield* sql`UPDATE rows SET state = 'fed' WHERE id IN ${sql.in(rows.map(({ id }) => id))}`
  return rows.length
}).pipe(inTransaction)

const feedPages = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const own = yield* ownShards
  const limit = Math.floor(room() / pageSize)
  if (limit < 1 || own.length === 0) return 0
  const pages = yield* sql<{ page: number }>`
    SELECT page FROM pages WHERE state = 'queued' AND shard IN ${sql.in(own)} ORDER BY page LIMIT ${limit}`
  for (const { page } of pages) {
    for (let id = page * pageSize; id < Math.min(settings.rows, (page + 1) * pageSize); id += 1) running.add(id)
    yield* Page.execute({ page }, { discard: true })
  }
  if (pages.length > 0) {
    yield* sql`UPDATE pages SET state = 'fed' WHERE page IN ${sql.in(pages.map(({ page }) => page))}`
  }
  return pages.length
}).pipe(inTransaction)

const feedForever = Effect.gen(function* () {
  const sharding = yield* Sharding.Sharding
  const fed = yield* settings.dispatch === "page" ? feedPages : feedRows
  // The engine has looked before the transaction was committed.
  yield* fed > 0 ? sharding.pollStorage : Effect.sleep("100 millis")
}).pipe(Effect.forever)

const claimForever = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows =
    room() < settings.window / 4
      ? []
      : yield* sql<EncodedRow>`UPDATE rows SET state = 'fed' WHERE id IN
          (SELECT id FROM rows WHERE state = 'queued' ORDER BY id LIMIT ${room()} FOR UPDATE SKIP LOCKED)
          RETURNING id, request`
  yield* Effect.forEach(rows, (row) => Effect.forkDaemon(drawEncoded(row)), { discard: true })
  if (rows.length === 0) yield* Effect.sleep("100 millis")
}).pipe(Effect.forever)

const config = ShardingConfig.layer({
  runnerAddress:
    settings.dispatch === "enqueue" ? Option.none() : Option.some(RunnerAddress.make("runner", process.pid)),
  shardsPerGroup: shards.length,
  shardLockExpiration: "30 seconds",
  // PostgreSQL keeps the advisory locks of a machine that has lost power, until TCP gives up.
  shardLockDisableAdvisory: true,
  entityMaxIdleTime: "1 second",
  entityTerminationTimeout: "1 second",
  entityMessagePollInterval: "1 second",
  refreshAssignmentsInterval: "1 second",
  simulateRemoteSerialization: false
})

const sqlLayer = PgClient.layer({ url: Redacted.make(settings.database), maxConnections: 8 })

const ledger = SubmissionLedger.layerSql().pipe(Layer.provide(BatchDatabase.layer()), Layer.provideMerge(sqlLayer))

/** Without ports: runners meet in the database only. */
const engine = ClusterWorkflowEngine.layer.pipe(
  Layer.provideMerge(Sharding.layer),
  Layer.provide(Runners.layerNoop),
  Layer.provide(SqlMessageStorage.layer),
  Layer.provide([SqlRunnerStorage.layer, RunnerHealth.layerNoop]),
  Layer.provide(config),
  // Ends after the engine, so that the heartbeat of a submission outlives it.
  Layer.provideMerge(ledger)
)

const arta = NodeArta.layer({
  apiKey: "key",
  apiUrl: `${settings.service}/api/v1`,
  signUpUrl: `${settings.service}/sign-up`,
  tokenUrl: `${settings.service}/token`,
  tokenFile: settings.tokenFile
})

const plain = Effect.forEach(
  Array.from({ length: settings.rows }, (_, id) => `plain ${String(id)}`),
  (prompt) =>
    Effect.tap(Arta.run({ prompt, seed: 1 }), () => {
      finished += 1
    }),
  { concurrency: settings.window, discard: true }
)

const onCluster = Effect.provide(feedForever, Layer.provideMerge(Layer.merge(runRow, runPage), engine))

type Program = Effect.Effect<unknown, unknown, ArtaApi.ArtaApi | Auth.Auth>

const programs: Readonly<Record<Settings["dispatch"], Program>> = {
  plain,
  enqueue: Effect.provide(
    enqueue(settings.rows, (rows) => {
      finished += rows
    }),
    engine
  ),
  claims: Effect.provide(claimForever, ledger),
  activity: onCluster,
  page: onCluster
}

const atStart = process.cpuUsage()
process.on("message", () => {
  const { system, user } = process.cpuUsage(atStart)
  const peakMegabytes = process.resourceUsage().maxRSS / 1024
  process.send?.({ finished, cpuMillis: (user + system) / 1_000, peakMegabytes })
})

process.send?.("ready")
NodeRuntime.runMain(Effect.provide(programs[settings.dispatch], arta))
