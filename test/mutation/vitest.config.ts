import { Tinypool } from "tinypool"
import { configDefaults, defineConfig } from "vitest/config"
import { nightly, shared, slow } from "../../vitest.config.js"

// Vitest 3.2.7 starts a thread for every run, and each mutant is a run: loading Effect again took 3 s of 4.
Tinypool.prototype.recycleWorkers = () => Promise.resolve()

export default defineConfig({
  test: {
    ...shared,
    setupFiles: [shared.setupFiles, "test/mutation/setup.ts"],
    include: ["test/**/*.test.ts"],
    // What these tests start or compile does not contain the mutant. Shells run the completions that a mutant printed.
    exclude: [
      ...configDefaults.exclude,
      "test/{conformance,package}/**",
      ...slow.filter((file) => file !== "test/cli/commandLine/shells.test.ts"),
      ...nightly
    ],
    // Stryker starts a new process after its own timeout of 30 s, which loads everything again.
    testTimeout: 20_000,
    env: { ARTA_TEST_TIMEOUT: "20000" },
    // Loading Effect again for every file would take most of the time.
    isolate: false
  }
})
