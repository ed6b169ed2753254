// npm run bench:load
import { writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import type { Run } from "./run.js"
import { prepare, run } from "./run.js"
import type { Summary } from "./report.js"
import { buildTargets, isMet, markdown, medianRun, summarize } from "./report.js"

const contenders = ["fetch", "arta", "undici", "effect", "replicate", "fal"]
const smallLoad = 1_000
const largeLoad = 10_000
// A busy moment of the machine can distort one run. The median of three ignores it.
const rounds = 3

/** Runs each contender once per round, so that other load on the machine affects all of them equally. */
const compare = async (names: ReadonlyArray<string>, generations: number, rounds: number) => {
  const runs = new Map<string, Array<Run>>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, finished] of runs) {
      const result = await run(name, generations)
      finished.push(result)
      const { cpu, failures, lag, requests } = summarize(name, generations, result)
      const figures = `${cpu.toFixed(2)} ms, ${requests.toFixed(1)} requests, ${lag.toFixed(0)} ms lag`
      console.log(`${name}, ${String(generations)} generations: ${figures}, ${String(failures)} failures`)
    }
  }
  return [...runs].map(([name, finished]): Summary =>
    medianRun(finished.map((result) => summarize(name, generations, result)))
  )
}

await prepare()
const small = { generations: smallLoad, summaries: await compare(contenders, smallLoad, rounds) }
const large = { generations: largeLoad, summaries: await compare(["fetch", "arta"], largeLoad, 1) }
const targets = buildTargets(small.summaries, large.summaries)

const major = process.versions.node.split(".")[0] ?? ""
const machine = `${String(availableParallelism())} cores and Node ${major}`
writeFileSync(new URL("README.md", import.meta.url), markdown({ machine, rounds, small, large, targets }))

const missed = targets.filter((target) => !isMet(target))
for (const { limit, name, value } of missed)
  console.log(`missed: ${name}: measured ${value.toFixed(2)}, at most ${String(limit)}`)
console.log(`${String(targets.length - missed.length)} of ${String(targets.length)} targets met`)
