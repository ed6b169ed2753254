import type { Load, Mode } from "./measures.js"

export interface Case extends Load {
  readonly mode: Mode
  /** How often to run each contender. */
  readonly rounds: Readonly<Record<string, number>>
}

const inRounds = (rounds: number, ...contenders: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  Object.fromEntries(contenders.map((contender) => [contender, rounds]))

const atOnce = (generations: number): Load => ({ generations, concurrency: generations })

// A busy moment of the machine can distort one run. The median of five ignores it.
export const cases = {
  fixed: {
    mode: "fixed",
    ...atOnce(1_000),
    rounds: { ...inRounds(5, "fetch", "arta", "arta-http"), ...inRounds(1, "undici", "dispatch", "effect-dispatch") }
  },
  clock: {
    mode: "clock",
    ...atOnce(1_000),
    rounds: { ...inRounds(5, "fetch", "arta"), ...inRounds(1, "undici", "effect", "replicate", "fal") }
  },
  capped: {
    mode: "fixed",
    generations: 5_000,
    concurrency: 1_000,
    rounds: { ...inRounds(5, "fetch", "arta"), ...inRounds(1, "effect-modules") }
  },
  large: { mode: "clock", ...atOnce(10_000), rounds: { ...inRounds(1, "fetch"), ...inRounds(3, "arta") } }
} as const satisfies Record<string, Case>

/** The clients whose processor time and memory are attributed. */
export const attributionCase = {
  processor: { ...atOnce(1_000), contenders: ["fetch", "arta", "dispatch"] },
  /** Each imports what those before it import, and more. */
  imports: ["fetch", "dispatch", "effect-dispatch", "effect-modules", "arta"],
  /** The option makes V8 collect garbage earlier. */
  smallHeap: {
    generations: 5_000,
    concurrency: 1_000,
    contenders: ["fetch", "arta"],
    option: "--max-old-space-size=96"
  }
} as const

/** The generations that wait for their next poll while the heap is measured. */
export const heapCase = { generations: 2_000, contenders: ["fetch", "arta"] } as const
