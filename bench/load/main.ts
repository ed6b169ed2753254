// npm run bench:load: measures all cases and writes README.md.
// npm run bench:load -- fixed arta fetch: measures one case for some clients, and prints its figures.
// npm run bench:load -- attribution: prints where the processor time and the memory go.
import { writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import type { Case } from "./cases.js"
import { attributeAll } from "./attribution.js"
import { cases, heapCase } from "./cases.js"
import { buildPrograms, installClients } from "./prepare.js"
import type { Results } from "./report.js"
import { attributionTables, heapTable, lagTable, markdown, usageTable } from "./report.js"
import { retainedBytes, run } from "./run.js"
import type { Summaries, Summary } from "./summary.js"
import { combine, summarize } from "./summary.js"
import { buildTargets, isMet } from "./targets.js"

/** Runs each contender once per round, so that other load on the machine affects all of them equally. */
const compare = async (
  { mode, rounds, ...load }: Case,
  contenders: ReadonlyArray<string> = Object.keys(rounds)
): Promise<Summaries> => {
  const runs = new Map<string, Array<Summary>>(contenders.map((contender) => [contender, []]))
  const most = Math.max(...Object.values(rounds))
  for (let round = 0; round < most; round++) {
    for (const [contender, finished] of runs) {
      if (round >= (rounds[contender] ?? most)) continue
      const summary = summarize(load.generations, await run(contender, mode, load))
      finished.push(summary)
      const { cpu, failures, peak, requests, total } = summary
      const figures = `${cpu.toFixed(2)} ms, ${peak.toFixed(0)} MB, ${requests.toFixed(1)} requests, ${total.toFixed(1)} s`
      console.log(`${contender}, ${String(load.generations)} ${mode}: ${figures}, ${String(failures)} failures`)
    }
  }
  return new Map([...runs].map(([contender, finished]) => [contender, combine(finished)]))
}

const compareHeap = async (contenders: ReadonlyArray<string> = heapCase.contenders) => {
  const heap = new Map<string, number>()
  for (const contender of contenders) heap.set(contender, await retainedBytes(contender, heapCase.generations))
  return heap
}

const measureAll = async (): Promise<void> => {
  installClients()
  const results: Results = {
    fixed: await compare(cases.fixed),
    clock: await compare(cases.clock),
    capped: await compare(cases.capped),
    large: await compare(cases.large),
    heap: await compareHeap(),
    attributions: await attributeAll()
  }
  const targets = buildTargets(results)
  const major = process.versions.node.split(".")[0] ?? ""
  const machine = `${String(availableParallelism())} cores and Node ${major}`
  writeFileSync(new URL("README.md", import.meta.url), markdown(machine, results, targets))

  const missed = targets.filter((target) => !isMet(target))
  for (const { limit, name, value } of missed)
    console.log(`missed: ${name}: measured ${value.toFixed(2)}, at most ${String(limit)}`)
  console.log(`${String(targets.length - missed.length)} of ${String(targets.length)} targets met`)
}

const isCase = (name: string): name is keyof typeof cases => name in cases

const [name, ...named] = process.argv.slice(2)
const contenders = named.length > 0 ? named : undefined
await buildPrograms()
if (name === undefined) await measureAll()
else if (name === "heap") console.log(heapTable(await compareHeap(contenders)))
else if (name === "attribution") console.log(attributionTables(await attributeAll()))
else if (isCase(name)) {
  const tableOf = cases[name].mode === "clock" ? lagTable : usageTable
  console.log(tableOf(await compare(cases[name], contenders)))
} else throw new Error(`unknown case: ${name}. The cases are attribution, heap, ${Object.keys(cases).join(", ")}.`)
