// Starts generations that never end. When the parent process notices that all of them wait for their next poll, it asks
// for the heap that they retain.
import { setImmediate } from "node:timers/promises"
import type { Contender, Environment, Load } from "./measures.js"

const heapUsed = async (): Promise<number> => {
  // What finalizers hold is only collected the second time.
  globalThis.gc?.()
  await setImmediate()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

const [name = "", load = "", environment = ""] = process.argv.slice(2)
const { contender } = (await import(`./contenders/${name}.js`)) as { readonly contender: Contender }
const run = await contender(JSON.parse(environment) as Environment)
const baseline = await heapUsed()

const fail = (reason: unknown) => {
  throw new Error("a generation ended", { cause: reason })
}
process.on("message", () => {
  void heapUsed().then((heap) => process.send?.(heap - baseline, () => process.exit()))
})
process.on("disconnect", () => process.exit())
await run(JSON.parse(load) as Load, { image: fail, failure: fail })
