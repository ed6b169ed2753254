import { defineConfig } from "vitest/config"
import base from "../../vitest.config.js"

export default defineConfig({
  test: {
    ...base.test,
    // The tests that say most about the mutated modules within seconds, for they run hundreds of times.
    include: [
      "test/{ArtaApi,ArtaFaults,Auth,AuthFailures,Polling,TokenStore}.test.ts",
      "test/internal/*.test.ts",
      "test/store/failures.test.ts"
    ],
    // Loading Effect again for every file would take most of the time.
    isolate: false
  }
})
