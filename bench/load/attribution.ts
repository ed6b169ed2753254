import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import type { Profiler } from "node:inspector"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { attributionCase } from "./cases.js"
import type { Load } from "./measures.js"
import { run } from "./run.js"
import { median } from "./summary.js"

/** The parts of a client's processor time, in the order of the table. */
export const parts = [
  "garbage collection",
  "Effect",
  "effect-arta",
  "undici",
  "Node, and system calls",
  "the loop itself"
] as const

type Part = (typeof parts)[number]

/** Milliseconds of the main thread. */
export type Attribution = ReadonlyMap<Part, number>

/** The part of a script, by its URL. */
const owners: ReadonlyArray<readonly [script: RegExp, part: Part]> = [
  [/\/undici\/|^node:internal\/deps\/undici|^wasm:/, "undici"],
  [/\/node_modules\/(effect|@effect)\//, "Effect"],
  [/\/dist\//, "effect-arta"],
  [/\/programs\//, "the loop itself"]
]

/** The calls of a sample, the innermost one first. */
const callsOf = (nodes: ReadonlyArray<Profiler.ProfileNode>) => {
  const callers = new Map(nodes.flatMap(({ children, id }) => (children ?? []).map((child) => [child, id] as const)))
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]))
  return (sample: number): ReadonlyArray<{ readonly functionName: string; readonly url: string }> => {
    const calls = []
    for (let id: number | undefined = sample; id !== undefined; id = callers.get(id)) {
      const call = byId.get(id)
      if (call !== undefined) calls.push(call)
    }
    return calls
  }
}

/** Attributes each sample to the innermost script that runs. Leaves out idle time and the loading of modules. */
const attribute = ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Attribution => {
  const calls = callsOf(nodes)
  const partOf = (sample: number): Part | undefined => {
    const stack = calls(sample)
    const innermost = stack[0]?.functionName
    if (innermost === "(garbage collector)") return "garbage collection"
    if (innermost === "(idle)" || stack.some(({ url }) => url.startsWith("node:internal/modules/"))) return undefined
    const script = stack.find(({ url }) => url !== "")?.url ?? ""
    return owners.find(([pattern]) => pattern.test(script))?.[1] ?? "Node, and system calls"
  }
  const millis = new Map<Part, number>(parts.map((part) => [part, 0]))
  samples.forEach((sample, i) => {
    const part = partOf(sample)
    if (part !== undefined) millis.set(part, (millis.get(part) ?? 0) + (timeDeltas[i] ?? 0) / 1_000)
  })
  return millis
}

/** Runs a contender with V8's profiler. */
const profile = async (contender: string, load: Load): Promise<Attribution> => {
  const directory = mkdtempSync(join(tmpdir(), "load-profile-"))
  try {
    await run(contender, "fixed", load, ["--cpu-prof", `--cpu-prof-dir=${directory}`])
    const [file = ""] = readdirSync(directory)
    return attribute(JSON.parse(readFileSync(join(directory, file), "utf8")) as Profiler.Profile)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The medians of some profiles of each contender, which take turns. */
const attributeProcessor = async (): Promise<ReadonlyMap<string, Attribution>> => {
  const { contenders, ...load } = attributionCase.processor
  const profiles: Array<ReadonlyMap<string, Attribution>> = []
  for (let round = 0; round < attributionCase.rounds; round++) {
    const taken = new Map<string, Attribution>()
    for (const contender of contenders) taken.set(contender, await profile(contender, load))
    profiles.push(taken)
  }
  const millis = (contender: string, part: Part) =>
    median(profiles.map((taken) => taken.get(contender)?.get(part) ?? 0))
  return new Map(
    contenders.map((contender) => [contender, new Map(parts.map((part) => [part, millis(contender, part)]))])
  )
}

/** The peak memory of a process, in bytes. */
export interface Peaks {
  /** With one generation: what the process needs to import and to start. */
  readonly one: number
  readonly many: number
  /** With many generations, if V8 collects garbage earlier, and the factor by which that raises the processor time. */
  readonly smallHeap: number
  readonly smallHeapCost: number
}

const attributeMemory = async (): Promise<ReadonlyMap<string, Peaks>> => {
  const { contenders, ...load } = attributionCase.memory
  const peaks = new Map<string, Peaks>()
  for (const contender of contenders) {
    const one = await run(contender, "fixed", { generations: 1, concurrency: 1 })
    const many = await run(contender, "fixed", load)
    const small = await run(contender, "fixed", load, [attributionCase.smallHeap])
    peaks.set(contender, {
      one: one.peakBytes,
      many: many.peakBytes,
      smallHeap: small.peakBytes,
      smallHeapCost: small.cpuMillis / many.cpuMillis
    })
  }
  return peaks
}

export interface Attributions {
  readonly processor: ReadonlyMap<string, Attribution>
  readonly memory: ReadonlyMap<string, Peaks>
}

export const attributeAll = async (): Promise<Attributions> => ({
  processor: await attributeProcessor(),
  memory: await attributeMemory()
})
