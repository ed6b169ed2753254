import { Tinypool } from "tinypool"
import { configDefaults, defineConfig } from "vitest/config"
import { nightly, shared, slow } from "../../vitest.config.js"

/** Slow tests that contain the mutants: the command that they start is built from the code with the mutants. */
const included = [
  "ai-sdk/generateImage",
  "cli/batch/standardInput",
  "cli/batch/stopped",
  "cli/commandLine/shells",
  "cli/output",
  "cli/settings",
  "cli/terminal",
  "server/stopping"
].map((name) => `test/${name}.test.ts`)

// Vitest 3.2.7 starts a thread for every run, and each mutant is a run: loading Effect again took 3 s of 4.
Tinypool.prototype.recycleWorkers = () => Promise.resolve()

export default defineConfig({
  test: {
    ...shared,
    setupFiles: [shared.setupFiles, "test/mutation/setup.ts", "test/mutation/processes.ts"],
    include: ["test/**/*.test.ts"],
    // What these tests compile or install does not contain the mutant, or they take too long to run once for each mutant.
    exclude: [
      ...configDefaults.exclude,
      "test/{conformance,package}/**",
      ...slow.filter((file) => !included.includes(file)),
      ...nightly
    ],
    // Stryker starts a new process after its own timeout of 30 s, which loads everything again.
    testTimeout: 20_000,
    env: { ARTA_TEST_TIMEOUT: "20000" },
    // Loading Effect again for every file would take most of the time.
    isolate: false
  }
})
