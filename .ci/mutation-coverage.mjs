// In the first run of Stryker, each process that a test starts loads this module, which notes the mutants it has run.
import { writeFileSync } from "node:fs"
import { join } from "node:path"

process.on("exit", () => {
  const ids = Object.keys(globalThis.__stryker__?.mutantCoverage?.static ?? {})
  const directory = process.env["STRYKER_COVERAGE_DIRECTORY"]
  if (ids.length > 0 && directory) writeFileSync(join(directory, `${process.pid}.json`), JSON.stringify(ids))
})
