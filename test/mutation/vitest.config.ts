import { configDefaults, defineConfig } from "vitest/config"
import { shared, slow } from "../../vitest.config.js"

export default defineConfig({
  test: {
    ...shared,
    include: ["test/**/*.test.ts"],
    // What these tests start or compile does not contain the mutant.
    exclude: [...configDefaults.exclude, "test/{conformance,package}/**", ...slow],
    globalSetup: "test/support/build.ts",
    // Instrumented code is slow.
    testTimeout: 60_000,
    // Loading Effect again for every file would take most of the time.
    isolate: false
  }
})
