import { Schema } from "effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeEach } from "vitest"

/** How often the code of each mutant ran, by its id. */
type Counts = Record<string, number>

/** What Stryker's code keeps in the global scope of a process. */
interface Stryker {
  readonly activeMutant?: string
  /** Only in the first run, which finds out what each test runs. */
  readonly currentTestId?: string
  readonly mutantCoverage?: { readonly static: Counts; readonly perTest: Record<string, Counts> }
}

declare global {
  var __stryker__: Stryker | undefined
}

const decodeIds = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.String)))

const directory = mkdtempSync(join(tmpdir(), "effect-arta-mutation-"))
const preload = new URL("../../.ci/mutation-coverage.mjs", import.meta.url).href

/** Adds what the processes of a test have run, except what runs while a module loads: see `ignoreStatic`. */
const addCoverage = (testId: string, { mutantCoverage = { static: {}, perTest: {} } }: Stryker) => {
  const counts = (mutantCoverage.perTest[testId] ??= {})
  for (const name of readdirSync(directory)) {
    const ids = decodeIds(readFileSync(join(directory, name), "utf8"))
    for (const id of ids.filter((id) => !(id in mutantCoverage.static))) counts[id] = (counts[id] ?? 0) + 1
    rmSync(join(directory, name))
  }
}

// The command that tests start is built from the code with the mutants. A process has the one that its environment names.
beforeEach(() => {
  process.env["__STRYKER_ACTIVE_MUTANT__"] = globalThis.__stryker__?.activeMutant ?? ""
  if (globalThis.__stryker__?.currentTestId === undefined) return
  process.env["NODE_OPTIONS"] = `--import=${preload}`
  process.env["STRYKER_COVERAGE_DIRECTORY"] = directory
})

afterEach(() => {
  const stryker = globalThis.__stryker__
  if (stryker?.currentTestId !== undefined) addCoverage(stryker.currentTestId, stryker)
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})
