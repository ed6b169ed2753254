import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import type { Profiler } from "node:inspector"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { attributionCase } from "./cases.js"
import type { Load } from "./measures.js"
import { run } from "./run.js"

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
type Attribution = ReadonlyMap<Part, number>

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

const attributeProcessor = async (): Promise<ReadonlyMap<string, Attribution>> => {
  const { contenders, ...load } = attributionCase.processor
  const profiles = new Map<string, Attribution>()
  for (const contender of contenders) profiles.set(contender, await profile(contender, load))
  return profiles
}

/** The peak memory of a process, in bytes. */
const peaks = async (
  contenders: ReadonlyArray<string>,
  load: Load,
  options: Array<string> = []
): Promise<ReadonlyMap<string, number>> => {
  const measured = new Map<string, number>()
  for (const contender of contenders) {
    measured.set(contender, (await run(contender, "fixed", load, options)).peakBytes)
  }
  return measured
}

export interface Attributions {
  readonly processor: ReadonlyMap<string, Attribution>
  /** The peak memory with one generation: what a process takes to import its modules and to start. */
  readonly imports: ReadonlyMap<string, number>
  /** The peak memory with many generations, if V8 collects garbage earlier. */
  readonly smallHeap: ReadonlyMap<string, number>
}

export const attributeAll = async (): Promise<Attributions> => {
  const { contenders, option, ...load } = attributionCase.smallHeap
  return {
    processor: await attributeProcessor(),
    imports: await peaks(attributionCase.imports, { generations: 1, concurrency: 1 }),
    smallHeap: await peaks(contenders, load, [option])
  }
}
