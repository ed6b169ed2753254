// npm run bench:polling
import { writeFileSync } from "node:fs"
import { renderChart } from "./chart.js"
import type { Case } from "./durations.js"
import { limits, lognormal, lognormalCases, otherCases } from "./durations.js"
import type { Measures } from "./measure.js"
import { fixedProduct, measure } from "./measure.js"
import type { Policy } from "./policies.js"
import { adaptive, exponential, fixed, oracle } from "./policies.js"
import type { CaseReport, Target } from "./report.js"
import { isMet, markdown } from "./report.js"
import type { Result } from "./simulate.js"
import { isStartMet, measureStart, medians } from "./start.js"
import { sampleJobs, simulate, simulateOnTestClock } from "./simulate.js"

const seeds = [1, 2, 3, 4]
const generations = 150
const firstGenerations = 30
// Costs vary more among the first generations. Long ones take as many polls as many short ones.
const startPrograms = (median: number) => (median < 60 ? 500 : 200)
// Programs of only the first generations are short, so run more of them.
const shortSeeds = Array.from({ length: 16 }, (_, i) => i + 1)

type Programs = ReadonlyArray<ReadonlyArray<Result>>

const runPrograms = (policy: Policy, testCase: Case): Promise<Programs> =>
  Promise.all(seeds.map((seed) => simulate(policy, sampleJobs(testCase, generations, seed))))

const runShortPrograms = (policy: Policy, testCase: Case): Promise<Programs> =>
  Promise.all(shortSeeds.map((seed) => simulate(policy, sampleJobs(testCase, firstGenerations, seed))))

const measureSlice = (programs: Programs, from: number, to?: number) =>
  measure(programs.flatMap((program) => program.slice(from, to)))

const fixedPauses = [0.5, 1, 2]
const fixedPolicies = fixedPauses.map(fixed)
const defaultPolicy = adaptive(20)
const policies = [...fixedPolicies, exponential, adaptive(5), defaultPolicy, adaptive(80), oracle(20)]

const targets: Array<Target> = []
const reports: Array<CaseReport> = []

const runCase = async (testCase: Case, limit: number): Promise<void> => {
  const programsByPolicy = new Map<Policy, Programs>()
  for (const policy of policies) programsByPolicy.set(policy, await runPrograms(policy, testCase))
  const programsOf = (policy: Policy) => programsByPolicy.get(policy) ?? []

  const addTarget = (label: string, limit: number, { duration, product, relativeToFixed }: Measures) => {
    const relativeToPauses = fixedPauses.map((pause) => product / fixedProduct(duration, pause))
    targets.push({ case: testCase.name, generations: label, value: relativeToFixed, limit, relativeToPauses })
  }
  const programs = programsOf(defaultPolicy)
  if (testCase.shifts) {
    addTarget("whole program", limit, measureSlice(programs, 0))
    addTarget("30 after the shift", limit, measureSlice(programs, generations / 2, generations / 2 + firstGenerations))
  } else {
    addTarget("first 30", 1.1, measureSlice(await runShortPrograms(defaultPolicy, testCase), 0))
    addTarget("after 30", limit, measureSlice(programs, firstGenerations))
  }

  const skipped = testCase.shifts ? 0 : firstGenerations
  const { generating, queue } = testCase.stages(0)
  const lagPollsLimits = limits(generating)
  reports.push({
    name: testCase.name,
    rows: policies.map((policy) => ({
      policy: policy.name,
      measures: measureSlice(programsOf(policy), skipped)
    })),
    ...(testCase.shifts || queue !== undefined ? {} : { limit: lagPollsLimits.best / lagPollsLimits.fixed })
  })
  console.log(`${testCase.name}: ratio to fixed ${measureSlice(programs, skipped).relativeToFixed.toFixed(2)}`)
}

/** Checks that virtual time, which is faster, gives the same results as `TestClock`. */
const compareWithTestClock = async (testCase: Case): Promise<void> => {
  const jobs = sampleJobs(testCase, firstGenerations, 5)
  const inVirtualTime = await simulate(defaultPolicy, jobs)
  const onTestClock = await simulateOnTestClock(defaultPolicy, jobs)
  if (JSON.stringify(inVirtualTime) !== JSON.stringify(onTestClock))
    throw new Error(`${testCase.name}: virtual time and TestClock give different results`)
  console.log(`${testCase.name}: ${String(firstGenerations)} generations give the same results under TestClock`)
}

const buildChart = async (): Promise<string> => {
  const generating = lognormal(10, 0.3)
  const testCase: Case = { name: "chart", stages: () => ({ generating }), shifts: false }
  const pointsOf = async (policies: ReadonlyArray<Policy>) => {
    const points = []
    for (const policy of policies) {
      const { lag, polls } = measureSlice(await runPrograms(policy, testCase), firstGenerations)
      points.push({ lag, polls, label: policy.name.replace(/^(fixed|adaptive) /, "") })
    }
    return points
  }
  const lagCosts = [5, 10, 20, 40, 80]
  const adaptivePoints = await pointsOf(lagCosts.map(adaptive))
  const lagPollsLimits = limits(generating)
  const curve = (product: number, extraPolls: number) =>
    Array.from({ length: 220 }, (_, i) => ({ polls: 2 + i / 10, lag: product / (2 + i / 10 - extraPolls) }))

  return renderChart("Lag and polls: durations lognormal, median 10 s, sigma 0.3", [
    {
      name: "fixed pause",
      color: "#d1603a",
      line: curve(lagPollsLimits.fixed, 1.5),
      dots: await pointsOf(fixedPolicies)
    },
    { name: "exponential", color: "#a371f7", line: [], dots: await pointsOf([exponential]) },
    { name: "adaptive, by lagCost (default 20)", color: "#2f81f7", line: adaptivePoints, dots: adaptivePoints },
    { name: "oracle (durations known)", color: "#3fa34d", line: await pointsOf(lagCosts.map(oracle)) },
    { name: "theoretical limit", color: "#7d8590", line: curve(lagPollsLimits.best, 1), dashed: true }
  ])
}

for (const { sigma, ...testCase } of lognormalCases) await runCase(testCase, sigma === 0.3 ? 0.59 : 0.84)
for (const testCase of otherCases) await runCase(testCase, 1.1)
for (const testCase of otherCases.slice(-1)) await compareWithTestClock(testCase)

const starts = []
for (const median of medians) {
  const report = await measureStart(median, startPrograms(median))
  starts.push(report)
  console.log(
    `${String(median)} s: ${report.stages.map(({ label, ratio }) => `${label} ${ratio.toFixed(2)}`).join(", ")}`
  )
}

const parameters = `For each case, every policy runs the same ${String(seeds.length)} programs of ${String(generations)} generations, one after the other, through \`Arta.run\` in
virtual time. The seeds are fixed, so the figures are the same on every machine. The rows for the first ${String(firstGenerations)} generations come
from ${String(shortSeeds.length)} programs.`
writeFileSync(new URL("trade-off.svg", import.meta.url), await buildChart())
writeFileSync(new URL("README.md", import.meta.url), markdown(parameters, targets, starts, reports))

const missed = targets.filter((target) => !isMet(target))
const missedStarts = starts.filter((start) => !isStartMet(start))
console.log(`${String(targets.length - missed.length)} of ${String(targets.length)} targets met`)
console.log(
  `${String(starts.length - missedStarts.length)} of ${String(starts.length)} durations start within their limits`
)
if (missed.length + missedStarts.length > 0) process.exitCode = 1
