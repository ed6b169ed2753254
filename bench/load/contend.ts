// Runs one contender and sends its usage to the parent process.
import type { Contender, Environment, Load, Usage } from "./measures.js"

const [name = "", load = "", environment = ""] = process.argv.slice(2)
const { contender } = (await import(`./contenders/${name}.js`)) as { readonly contender: Contender }
const run = await contender(JSON.parse(environment) as Environment)

const lags: Array<number> = []
const failures: Array<string> = []
const start = performance.now()
const before = process.cpuUsage()
await run(JSON.parse(load) as Load, {
  image: (url) => lags.push(Date.now() - Number(/(\d+)\.png$/.exec(url)?.[1])),
  failure: (error) => failures.push(String(error))
})
const { system, user } = process.cpuUsage(before)

const usage: Usage = {
  cpuMillis: (user + system) / 1_000,
  millis: performance.now() - start,
  peakBytes: process.resourceUsage().maxRSS * 1_024,
  lags,
  failures
}
process.send?.(usage, () => process.exit())
