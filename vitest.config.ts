import { fileURLToPath } from "node:url"
import { configDefaults, defineConfig } from "vitest/config"

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  test: {
    // Only what hangs is to be ended: a busy machine may take ten times as long as an idle one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Most tests wait rather than work: for timers, sockets and other processes.
    maxWorkers: 4,
    minWorkers: 1,
    include: ["test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/conformance"],
    globalSetup: "test/support/build.ts",
    alias: {
      "effect-arta/node": source("src/node/index.ts"),
      "effect-arta/testing": source("src/testing/index.ts"),
      "effect-arta": source("src/index.ts")
    },
    coverage: {
      include: ["src/**/*.ts"],
      // The command runs in processes of its own, which are not looked into.
      exclude: ["src/cli/**"],
      reporter: ["text", "lcov"],
      thresholds: { lines: 95 }
    }
  }
})
