import { defineConfig } from "vitest/config"
import { shared } from "../../vitest.config.js"

export default defineConfig({
  test: {
    ...shared,
    // The tests that say most about the mutated modules within seconds, for they run hundreds of times.
    include: [
      "test/{ArtaApi,Polling}/*.test.ts",
      "test/Arta/serviceFaults.test.ts",
      "test/Auth/{Auth,identityFailures,identityToolkit,config}.test.ts",
      "test/TokenStore/{TokenStore,diskFailures}.test.ts"
    ],
    // Loading Effect again for every file would take most of the time.
    isolate: false
  }
})
