// The tables of the experiment: rows, and pages of them, each with the shard to which the engine assigns its workflow.
import { EntityId } from "@effect/cluster/EntityId"
import * as Sharding from "@effect/cluster/Sharding"
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect } from "effect"
import { GenerateRequest } from "effect-arta"
import { pageSize } from "./settings.js"
import { Page, Row } from "./workflows.js"

const windowSize = 2_000

export const enqueue = (count: number, onInserted: (rows: number) => void) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const sharding = yield* Sharding.Sharding
    const shardOf = (execution: string) => sharding.getShardId(EntityId.make(execution), "default").id
    yield* sql`CREATE TABLE rows (id int PRIMARY KEY, page int, request text, state text, shard int,
      done_at timestamptz, runner int)`
    yield* sql`CREATE TABLE pages (page int PRIMARY KEY, state text, shard int)`
    yield* sql`CREATE INDEX ON rows (page)`
    yield* sql`CREATE INDEX ON rows (id) WHERE state = 'queued'`
    yield* sql`CREATE INDEX ON pages (shard, page) WHERE state = 'queued'`
    for (let first = 0; first < count; first += windowSize) {
      const ids = Array.from({ length: Math.min(windowSize, count - first) }, (_, index) => first + index)
      const pages = ids.filter((id) => id % pageSize === 0).map((id) => id / pageSize)
      const pageRows = yield* Effect.forEach(pages, (page) =>
        Effect.map(Page.executionId({ page }), (execution) => ({ page, state: "queued", shard: shardOf(execution) }))
      )
      const rows = yield* Effect.forEach(ids, (id) => {
        const request = new GenerateRequest.GenerateRequest({ prompt: `row ${String(id)}`, seed: 1 })
        return Effect.map(Row.executionId({ row: id, request }), (execution) => ({
          id,
          page: Math.floor(id / pageSize),
          request: JSON.stringify(request),
          state: "queued",
          shard: shardOf(execution)
        }))
      })
      yield* sql`INSERT INTO pages ${sql.insert(pageRows)}`
      yield* sql`INSERT INTO rows ${sql.insert(rows)}`
      onInserted(rows.length)
    }
  })
