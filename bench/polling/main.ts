// npm run bench:polling
import { writeFileSync } from "node:fs"
import { chart } from "./chart.js"
import type { Case } from "./durations.js"
import { limits, lognormal, lognormalCases, otherCases } from "./durations.js"
import { measure } from "./measure.js"
import type { Policy } from "./policies.js"
import { adaptive, exponential, fixed, oracle } from "./policies.js"
import type { CaseReport, Target } from "./report.js"
import { isReached, markdown } from "./report.js"
import type { Result } from "./simulate.js"
import { jobsOf, simulate, simulateOnTestClock } from "./simulate.js"

const seeds = [1, 2, 3, 4]
const generations = 150
const learning = 30

type Programs = ReadonlyArray<ReadonlyArray<Result>>

const runAll = (policy: Policy, each: Case): Promise<Programs> =>
  Promise.all(seeds.map((seed) => simulate(policy, jobsOf(each, generations, seed))))

const between = (programs: Programs, from: number, to?: number) =>
  measure(programs.flatMap((program) => program.slice(from, to)))

const pauses = [0.5, 1, 2].map(fixed)
const byDefault = adaptive(20)
const policies = [...pauses, exponential, adaptive(5), byDefault, adaptive(80), oracle(20)]

interface Window {
  readonly when: string
  readonly from: number
  readonly to?: number
  readonly most: number
}

const atFirst: Window = { when: "first 30", from: 0, to: learning, most: 1.1 }

const windowsOf = (each: Case, most: number): ReadonlyArray<Window> =>
  each.shifts
    ? [
        { when: "whole program", from: 0, most },
        { when: "30 after the shift", from: generations / 2, to: generations / 2 + learning, most }
      ]
    : [atFirst, { when: "after 30", from: learning, most }]

const targets: Array<Target> = []
const reports: Array<CaseReport> = []

const study = async (each: Case, most: number): Promise<void> => {
  const programsBy = new Map<Policy, Programs>()
  for (const policy of policies) programsBy.set(policy, await runAll(policy, each))
  const programsOf = (policy: Policy) => programsBy.get(policy) ?? []

  for (const { from, most: atMost, to, when } of windowsOf(each, most)) {
    const { ofFixed, product } = between(programsOf(byDefault), from, to)
    const ofEach = pauses.map((pause) => product / between(programsOf(pause), from, to).product)
    targets.push({ case: each.name, when, reached: ofFixed, most: atMost, ofEach })
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
  console.log(`${each.name}: ${targets.at(-1)?.reached.toFixed(2) ?? ""} of fixed polling`)
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
  const pointsOf = (labelled: ReadonlyArray<readonly [label: string, policy: Policy]>) =>
    Promise.all(
      labelled.map(async ([label, policy]) => {
        const { lag, polls } = between(await runAll(policy, each), learning)
        return { lag, polls, label }
      })
    )
  const costs = [5, 10, 20, 40, 80]
  const { best, fixed: withFixed } = limits(drawing)
  const curve = (product: number, extra: number) =>
    Array.from({ length: 220 }, (_, i) => ({ polls: 2 + i / 10, lag: product / (2 + i / 10 - extra) }))

  return chart("Lag and polls: durations lognormal, median 10 s, sigma 0.3", [
    { name: "fixed pause", color: "#cf5c36", points: curve(withFixed, 1.5) },
    { name: "the limit", color: "#7d8590", points: curve(best, 1), dashed: true },
    {
      name: "Polling.adaptive, by lagCost, after 30 generations",
      color: "#2f81f7",
      points: await pointsOf(costs.map((cost) => [String(cost), adaptive(cost)] as const))
    },
    {
      name: "the same rule, durations known",
      color: "#3fa34d",
      points: await pointsOf(costs.map((cost) => ["", oracle(cost)] as const))
    },
    {
      name: "fixed pauses as simulated",
      color: "#cf5c36",
      points: await pointsOf(pauses.map((policy) => [policy.name.replace("fixed ", ""), policy] as const))
    }
  ])
}

for (const { sigma, ...each } of lognormalCases) await study(each, sigma === 0.3 ? 0.59 : 0.84)
for (const each of otherCases) await study(each, 1.1)
for (const each of otherCases.slice(-1)) await compareWithTestClock(each)

const parameters =
  `Every policy runs the same ${String(seeds.length)} programs of ${String(generations)} generations for each case, one after the other, ` +
  `through \`Arta.run\` in virtual time, with fixed seeds: the numbers are the same on every machine.`
writeFileSync(new URL("trade-off.svg", import.meta.url), await drawChart())
writeFileSync(new URL("README.md", import.meta.url), markdown(parameters, targets, reports))

const missed = targets.filter((target) => !isReached(target))
console.log(`${String(targets.length - missed.length)} of ${String(targets.length)} targets reached`)
if (missed.length > 0) process.exitCode = 1
