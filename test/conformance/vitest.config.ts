import { defineConfig } from "vitest/config"
import { shared } from "../../vitest.config.js"

export default defineConfig({
  test: {
    ...shared,
    include: ["test/conformance/*.test.ts"],
    // The emulator is a process of its own, which starts slowly.
    testTimeout: 60_000,
    hookTimeout: 300_000,
    globalSetup: "test/conformance/firebaseTools.ts"
  }
})
