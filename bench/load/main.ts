// npm run bench:load
import { writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import type { Run } from "./run.js"
import { prepare, run } from "./run.js"
import type { Summary } from "./report.js"
import { isReached, markdown, median, summarize, targetsOf } from "./report.js"

const contenders = ["fetch", "arta", "undici", "effect", "replicate", "fal"]
const few = 1_000
const many = 10_000
// Of three runs one may meet a busy moment of the machine, and the median is still none of it.
const rounds = 3

/** Each in turn, round after round, so that what else the machine does weighs on all alike. */
const compete = async (names: ReadonlyArray<string>, generations: number, rounds: number) => {
  const runs = new Map<string, Array<Run>>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, done] of runs) {
      const each = await run(name, generations)
      done.push(each)
      const { cpu, failures, lag, requests } = summarize(name, generations, each)
      const figures = `${cpu.toFixed(2)} ms, ${requests.toFixed(1)} requests, ${lag.toFixed(0)} ms late`
      console.log(`${String(generations)} by ${name}: ${figures}, ${String(failures)} failures`)
    }
  }
  return [...runs].map(([name, done]): Summary => median(done.map((each) => summarize(name, generations, each))))
}

await prepare()
const atFew = await compete(contenders, few, rounds)
const atMany = await compete(["fetch", "arta"], many, 1)
const targets = targetsOf(atFew, atMany)

const major = process.versions.node.split(".")[0] ?? ""
const machine = `${String(availableParallelism())} cores, Node ${major}`
writeFileSync(new URL("README.md", import.meta.url), markdown({ machine, few, many, rounds, atFew, atMany, targets }))

const missed = targets.filter((target) => !isReached(target))
for (const { name, value, most } of missed)
  console.log(`missed: ${name}, ${value.toFixed(2)} where ${String(most)} was the most`)
console.log(`${String(targets.length - missed.length)} of ${String(targets.length)} targets reached`)
