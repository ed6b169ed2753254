// npm run bench:pacing
import { writeFileSync } from "node:fs"
import { before } from "./before.js"
import type { Row } from "./report.js"
import { isMet, markdown } from "./report.js"
import type { Limit } from "../../test/support/limitedService.js"
import { oracleLags, simulate } from "./simulate.js"

const seeds = [1, 2, 3, 4, 5]
const counts = [4, 20, 60]
const limits: ReadonlyArray<Limit> = [
  { kind: "token bucket", retryAfter: true, interval: 1_000 },
  { kind: "token bucket", retryAfter: false, interval: 1_000 },
  { kind: "sliding window", retryAfter: true, interval: 1_000 },
  { kind: "sliding window", retryAfter: false, interval: 1_000 }
]
// A client that is told the limit holds a request back, and a poll that is held back for 15 seconds is given up.
const mostTold = 4

const sum = (values: ReadonlyArray<number>) => values.reduce((total, value) => total + value, 0)
const mean = (values: ReadonlyArray<number>) => sum(values) / values.length

const measure = (limit: Limit, count: number): Row => {
  const results = seeds.map((seed) => simulate(limit, count, seed))
  const total = (key: "requests" | "refused" | "laterRequests" | "laterRefused" | "failed") =>
    sum(results.map((result) => result[key]))
  const lag = mean(results.flatMap(({ lags }) => lags))
  const toldLag = mean(seeds.flatMap((seed) => (count > mostTold ? [] : simulate(limit, count, seed, true).lags)))
  const row = {
    limit,
    count,
    requests: total("requests") / seeds.length,
    refused: total("refused") / total("requests"),
    laterRefused: total("laterRefused") / Math.max(1, total("laterRequests")),
    failed: total("failed") / seeds.length,
    lag,
    oracleLag: mean(oracleLags(limit, count)),
    ...(count > mostTold ? {} : { toldLag })
  }
  console.log(
    `${String(count)}, ${limit.kind}: ${(100 * row.laterRefused).toFixed(1)}% refused, lag ${lag.toFixed(1)} s`
  )
  return row
}

const rows = limits.flatMap((limit) => counts.map((count) => measure(limit, count)))
writeFileSync(new URL("README.md", import.meta.url), markdown(rows, before, seeds.length))

const missed = rows.filter((row) => !isMet(row))
console.log(`${String(rows.length - missed.length)} of ${String(rows.length)} cases meet all targets`)
if (missed.length > 0) process.exitCode = 1
