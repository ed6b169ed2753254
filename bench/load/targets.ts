import type { Results } from "./report.js"
import { find, relative } from "./summary.js"

export interface Target {
  readonly name: string
  readonly value: number
  readonly limit: number
}

export const isMet = ({ limit, value }: Target): boolean => value <= limit

export const buildTargets = ({ capped, clock, fixed, heap, large }: Results): ReadonlyArray<Target> => {
  const all = find(large, "arta")
  return [
    { name: "1,000, fixed requests: processor time", value: relative(fixed, "arta", "cpu"), limit: 0.95 },
    { name: "1,000, fixed requests: peak memory", value: relative(fixed, "arta", "peak"), limit: 1.1 },
    { name: "1,000, by the clock: processor time", value: relative(clock, "arta", "cpu"), limit: 1 },
    { name: "5,000, at most 1,000 at a time: processor time", value: relative(capped, "arta", "cpu"), limit: 0.9 },
    { name: "5,000, at most 1,000 at a time: peak memory", value: relative(capped, "arta", "peak"), limit: 1.2 },
    { name: "10,000: lost generations", value: all.lost, limit: 0 },
    { name: "10,000: sign-ups", value: all.signUps, limit: 1 },
    { name: "10,000: peak memory, GB", value: all.peak / 1_000, limit: 0.8 },
    { name: "10,000: mean lag, relative to 1,000", value: all.lag / find(clock, "arta").lag, limit: 1.5 },
    { name: "1,000, over `HttpClient`: processor time", value: relative(fixed, "arta-http", "cpu"), limit: 1.5 },
    { name: "1,000, over `HttpClient`: peak memory", value: relative(fixed, "arta-http", "peak"), limit: 1.25 },
    { name: "Heap that a waiting generation retains, kB", value: find(heap, "arta") / 1_000, limit: 30 }
  ]
}
