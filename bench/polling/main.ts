// npm run bench:polling
import { writeFileSync } from "node:fs"
import { chart } from "./chart.js"
import type { Case } from "./durations.js"
import { limits, lognormal, lognormalCases, otherCases } from "./durations.js"
import type { Measures } from "./measure.js"
import { fixedProduct, measure } from "./measure.js"
import type { Policy } from "./policies.js"
import { adaptive, exponential, fixed, oracle } from "./policies.js"
import type { CaseReport, Target } from "./report.js"
import { isReached, markdown } from "./report.js"
import type { Result } from "./simulate.js"
import { jobsOf, simulate, simulateOnTestClock } from "./simulate.js"

const seeds = [1, 2, 3, 4]
const generations = 150
const learning = 30
// The first generations make short programs, so more of them can be run.
const beginnings = Array.from({ length: 16 }, (_, i) => i + 1)

type Programs = ReadonlyArray<ReadonlyArray<Result>>

const runAll = (policy: Policy, each: Case): Promise<Programs> =>
  Promise.all(seeds.map((seed) => simulate(policy, jobsOf(each, generations, seed))))

const begin = (policy: Policy, each: Case): Promise<Programs> =>
  Promise.all(beginnings.map((seed) => simulate(policy, jobsOf(each, learning, seed))))

const between = (programs: Programs, from: number, to?: number) =>
  measure(programs.flatMap((program) => program.slice(from, to)))

const pauseLengths = [0.5, 1, 2]
const pauses = pauseLengths.map(fixed)
const byDefault = adaptive(20)
const policies = [...pauses, exponential, adaptive(5), byDefault, adaptive(80), oracle(20)]

const targets: Array<Target> = []
const reports: Array<CaseReport> = []

const study = async (each: Case, most: number): Promise<void> => {
  const programsBy = new Map<Policy, Programs>()
  for (const policy of policies) programsBy.set(policy, await runAll(policy, each))
  const programsOf = (policy: Policy) => programsBy.get(policy) ?? []

  const aim = (when: string, most: number, { duration, ofFixed, product }: Measures) => {
    const ofEach = pauseLengths.map((pause) => product / fixedProduct(duration, pause))
    targets.push({ case: each.name, when, reached: ofFixed, most, ofEach })
  }
  const learned = programsOf(byDefault)
  if (each.shifts) {
    aim("whole program", most, between(learned, 0))
    aim("30 after the shift", most, between(learned, generations / 2, generations / 2 + learning))
  } else {
    aim("first 30", 1.1, between(await begin(byDefault, each), 0))
    aim("after 30", most, between(learned, learning))
  }

  const { drawing, queue } = each.times(0)
  const { best, fixed: withFixed } = limits(drawing)
  reports.push({
    name: each.name,
    rows: policies.map((policy) => ({
      policy: policy.name,
      measures: between(programsOf(policy), each.shifts ? 0 : learning)
    })),
    ...(each.shifts || queue !== undefined ? {} : { limit: best / withFixed })
  })
  console.log(`${each.name}: ${between(learned, each.shifts ? 0 : learning).ofFixed.toFixed(2)} of fixed polling`)
}

/** Virtual time is only worth its speed if all comes to the same under `TestClock`. */
const compareWithTestClock = async (each: Case): Promise<void> => {
  const jobs = jobsOf(each, learning, 5)
  const [quick, slow] = [await simulate(byDefault, jobs), await simulateOnTestClock(byDefault, jobs)]
  if (JSON.stringify(quick) !== JSON.stringify(slow)) throw new Error(`${each.name} is another under TestClock`)
  console.log(`${each.name}: ${String(learning)} generations are the same under TestClock`)
}

const drawChart = async (): Promise<string> => {
  const drawing = lognormal(10, 0.3)
  const each: Case = { name: "chart", times: () => ({ drawing }), shifts: false }
  const pointsOf = async (all: ReadonlyArray<Policy>) => {
    const points = []
    for (const policy of all) {
      const { lag, polls } = between(await runAll(policy, each), learning)
      points.push({ lag, polls, label: policy.name.replace(/^(fixed|adaptive) /, "") })
    }
    return points
  }
  const costs = [5, 10, 20, 40, 80]
  const learned = await pointsOf(costs.map(adaptive))
  const { best, fixed: withFixed } = limits(drawing)
  const curve = (product: number, polls: number) =>
    Array.from({ length: 220 }, (_, i) => ({ polls: 2 + i / 10, lag: product / (2 + i / 10 - polls) }))

  return chart("Lag and polls: durations lognormal, median 10 s, sigma 0.3", [
    { name: "fixed pause", color: "#d1603a", line: curve(withFixed, 1.5), dots: await pointsOf(pauses) },
    { name: "exponential", color: "#a371f7", line: [], dots: await pointsOf([exponential]) },
    { name: "adaptive, by lagCost (default 20)", color: "#2f81f7", line: learned, dots: learned },
    { name: "the same rule, durations known", color: "#3fa34d", line: await pointsOf(costs.map(oracle)) },
    { name: "the limit", color: "#7d8590", line: curve(best, 1), dashed: true }
  ])
}

for (const { sigma, ...each } of lognormalCases) await study(each, sigma === 0.3 ? 0.59 : 0.84)
for (const each of otherCases) await study(each, 1.1)
for (const each of otherCases.slice(-1)) await compareWithTestClock(each)

const parameters = `For each case, every
policy runs the same ${String(seeds.length)} programs of ${String(generations)} generations, one after the other, through \`Arta.run\` in virtual time. The seeds are
fixed, so the numbers are the same on every machine. The rows for the first ${String(learning)} generations come from ${String(beginnings.length)} programs.`
writeFileSync(new URL("trade-off.svg", import.meta.url), await drawChart())
writeFileSync(new URL("README.md", import.meta.url), markdown(parameters, targets, reports))

const missed = targets.filter((target) => !isReached(target))
console.log(`${String(targets.length - missed.length)} of ${String(targets.length)} targets reached`)
if (missed.length > 0) process.exitCode = 1
