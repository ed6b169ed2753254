// npx tsx bench/cluster/shutdown.ts [CASE]
// How long rows wait for another runner when a runner of @effect/cluster shuts down during a submission of ten seconds.
// Needs PostgreSQL. Both runners are in this process, each with connections of its own.
import * as ClusterWorkflowEngine from "@effect/cluster/ClusterWorkflowEngine"
import { EntityId } from "@effect/cluster/EntityId"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as RunnerHealth from "@effect/cluster/RunnerHealth"
import * as Runners from "@effect/cluster/Runners"
import { ShardId } from "@effect/cluster/ShardId"
import * as Sharding from "@effect/cluster/Sharding"
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as SqlMessageStorage from "@effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "@effect/cluster/SqlRunnerStorage"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Workflow from "@effect/workflow/Workflow"
import { Context, Effect, Exit, Fiber, Layer, Logger, LogLevel, Option, Redacted, Schema, Scope } from "effect"
import * as Postgres from "../../test/support/postgres.js"

type Config = Partial<ShardingConfig.ShardingConfig["Type"]>

/** What a row does on the first runner: a submission, which must end, polls without end, or nothing. */
const Work = Schema.Literal("submit", "poll", "nothing")

const Row = Workflow.make({
  name: "Row",
  payload: { id: Schema.Int, work: Work },
  idempotencyKey: ({ id }) => String(id)
})

const work = {
  submit: Effect.uninterruptible(Effect.sleep("10 seconds")),
  poll: Effect.never,
  nothing: Effect.void
}

const startRunner = (name: string, database: string, config: Config) =>
  Effect.gen(function* () {
    /** When a row was executed here first. */
    const executed = new Map<number, number>()
    const rows = Row.toLayer((row) =>
      Effect.suspend(() => {
        if (!executed.has(row.id)) executed.set(row.id, performance.now())
        return name === "first" ? work[row.work] : Effect.void
      })
    )
    const engine = ClusterWorkflowEngine.layer.pipe(
      Layer.provideMerge(Sharding.layer),
      Layer.provide(Runners.layerNoop),
      Layer.provide(SqlMessageStorage.layer),
      Layer.provide([SqlRunnerStorage.layer, RunnerHealth.layerNoop]),
      Layer.provide(ShardingConfig.layer({ ...config, runnerAddress: Option.some(RunnerAddress.make(name, 1)) })),
      Layer.provide(PgClient.layer({ url: Redacted.make(database), maxConnections: 4 }))
    )
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(Layer.provideMerge(rows, engine), scope)
    const sharding = Context.get(context, Sharding.Sharding)
    return {
      executed,
      stop: Scope.close(scope, Exit.void),
      shardOf: (id: number) =>
        Effect.map(Row.executionId({ id, work: "nothing" }), (execution) =>
          sharding.getShardId(EntityId.make(execution), "default")
        ),
      hasShard: (shard: ShardId) => sharding.hasShardId(shard),
      execute: (id: number, kind: typeof Work.Type) =>
        Effect.provide(Row.execute({ id, work: kind }, { discard: true }), context)
    }
  })

const shards = Array.from({ length: ShardingConfig.defaults.shardsPerGroup }, (_, index) =>
  ShardId.make({ group: "default", id: index + 1 })
)

const until = (condition: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (condition() ? Effect.void : Effect.zipRight(Effect.sleep("50 millis"), until(condition))))

const measure = (title: string, isSubmitting: boolean, config: Config) =>
  Effect.gen(function* () {
    const database = yield* (yield* Postgres.Postgres).createDatabase
    const first = yield* startRunner("first", database, config)
    const second = yield* startRunner("second", database, config)
    const count = ({ hasShard }: typeof first) => shards.filter(hasShard).length
    yield* until(() => count(first) > 0 && count(second) > 0 && count(first) + count(second) === shards.length)

    const ids = Array.from({ length: 3_000 }, (_, id) => id)
    const all = yield* Effect.forEach(ids, (id) => Effect.map(first.shardOf(id), (shard) => ({ id, shard })))
    const [submitted, ...others] = all.filter(({ shard }) => first.hasShard(shard))
    if (submitted === undefined) return yield* Effect.dieMessage("The first runner has no shard.")
    const behind = others.filter(({ shard }) => shard.id === submitted.shard.id).slice(0, 5)
    const [polled, ...elsewhere] = others.filter(({ shard }) => shard.id !== submitted.shard.id)
    if (polled === undefined) return yield* Effect.dieMessage("The first runner has one shard.")
    const idle = elsewhere.filter(({ shard }) => shard.id !== polled.shard.id).slice(0, 20)

    const underWay = isSubmitting ? [submitted.id, polled.id] : [polled.id]
    if (isSubmitting) yield* first.execute(submitted.id, "submit")
    yield* first.execute(polled.id, "poll")
    yield* until(() => underWay.every((id) => first.executed.has(id)))

    const begin = performance.now()
    const stopping = yield* Effect.fork(first.stop)
    // From now on the first runner accepts no work.
    yield* Effect.sleep("100 millis")
    const waiting = [...behind, ...idle]
    yield* Effect.forEach(waiting, ({ id }) => second.execute(id, "nothing"), {
      // One at a time, a row whose shard is not released would hold up the others.
      concurrency: "unbounded",
      discard: true
    })
    yield* Fiber.join(stopping)
    const stopped = performance.now() - begin
    yield* until(() => [...waiting, polled].every(({ id }) => second.executed.has(id)))
    yield* second.stop

    const slowest = (rows: ReadonlyArray<{ readonly id: number }>) =>
      Math.max(...rows.map(({ id }) => second.executed.get(id) ?? NaN)) - begin
    console.log(title)
    console.table({
      "a waiting row of an idle shard": seconds(slowest(idle)),
      "a waiting row of the shard of the submission": isSubmitting ? seconds(slowest(behind)) : "",
      "a row that the first runner polled": seconds(slowest([polled])),
      "end of the first runner": seconds(stopped)
    })
  })

const seconds = (millis: number) => `${(millis / 1_000).toFixed(1)} s`

const short: Config = {
  refreshAssignmentsInterval: "1 second",
  entityMessagePollInterval: "1 second",
  entityTerminationTimeout: "1 second"
}

const cases = {
  "no submission": measure("No submission, intervals and termination timeout of 1 s", false, short),
  short: measure("Intervals and termination timeout of 1 s", true, short),
  defaults: measure("Defaults", true, {}),
  "not preemptive": measure("As short, without preemptive shutdown", true, { ...short, preemptiveShutdown: false })
}

const only = process.argv[2]

await Effect.runPromise(
  Effect.forEach(
    Object.entries(cases).filter(([name]) => only === undefined || name === only),
    ([, run]) => run,
    { discard: true }
  ).pipe(Effect.provide(Postgres.layer), Logger.withMinimumLogLevel(LogLevel.Error))
)
process.exit()
